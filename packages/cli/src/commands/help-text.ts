/**
 * Help texts: examples first, one screen.
 * @module
 */
import type { Command, OptionSpec } from './command.ts'
import { isGroup, type GroupEntry } from './find-command.ts'
import { globalOptions } from './options.ts'

/** Two columns, the right one wrapped to the width of a screen. */
function columns(rows: (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.flatMap(([left, right]) => {
    const [first = '', ...more] = wrap(right, 98 - width)
    return [
      `  ${left.padEnd(width)}  ${first}`,
      ...more.map((line) => `  ${' '.repeat(width)}  ${line}`),
    ]
  })
}

function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + word.length >= width) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}

function optionRow(option: OptionSpec): readonly [string, string] {
  const short = option.short === undefined ? '    ' : `-${option.short}, `
  const value = option.value === undefined ? '' : ` ${option.value}`
  const more = option.variadic === true ? '…' : ''
  return [`${short}--${option.long}${value}${more}`, option.summary]
}

function usage(command: Command, path: string[]): string {
  const words = (command.arguments ?? []).map(({ name, required }) =>
    required === true ? name.toUpperCase() : `[${name.toUpperCase()}]`,
  )
  const rest = command.rest === undefined ? [] : [`[-- ${command.rest}]`]
  return ['sallyport', ...path, ...words, '[options]', ...rest].join(' ')
}

/** Help of one command. */
export function commandHelp(command: Command, path: string[]): string {
  const lines = [usage(command, path), '', command.summary]
  lines.push(...(command.description ?? []))
  if (command.examples.length > 0) {
    lines.push('', 'Examples')
    for (const { what, line } of command.examples) lines.push(`  # ${what}`, `  ${line}`)
  }
  if (command.arguments !== undefined && command.arguments.length > 0) {
    const rows = command.arguments.map(
      ({ name, summary }) => [name.toUpperCase(), summary] as const,
    )
    lines.push('', 'Arguments', ...columns(rows))
  }
  if (command.options.length > 0) {
    lines.push('', 'Options', ...columns(command.options.map(optionRow)))
  }
  lines.push('', 'Everywhere', ...columns(globalOptions.map(optionRow)))
  return `${lines.join('\n')}\n`
}

/** Help of a group of commands, or of all. */
export function groupHelp(
  group: GroupEntry,
  path: string[],
  programs: Record<string, string>,
): string {
  const rows = Object.entries(group.entries)
    .filter(([, entry]) => entry.hidden !== true)
    .map(([name, entry]) => [isGroup(entry) ? `${name} …` : name, entry.summary] as const)
  const words = ['sallyport', ...path].join(' ')
  const lines = [`${words} COMMAND [options]`, '', group.summary]
  if (path.length === 0) {
    lines.push(
      '',
      'Examples',
      '  sallyport login --service-principal -u CLIENT_ID --hub https://hub.example.com',
      '  sallyport connect -n prod-eu -g stores',
      '  sallyport proxy prod-eu -- kubectl get pods -A',
    )
  }
  lines.push('', 'Commands', ...columns(rows))
  const servers = Object.entries(programs)
  if (path.length === 0 && servers.length > 0) lines.push('', 'Programs', ...columns(servers))
  lines.push('', `${words} COMMAND --help explains one command.`)
  return `${lines.join('\n')}\n`
}
