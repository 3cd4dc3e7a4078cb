/**
 * Texts made from the fields: `--help`, `--print-config`, and the tables of `docs/configuration.md`.
 * @module
 */
import { stringify } from 'yaml'
import { environmentName, flagName, type Field } from './field.ts'
import type { LoadedConfig } from './load.ts'
import type { ConfigProgram } from './program.ts'

function defaultText(field: Field): string {
  if (field.required === true) return 'required'
  if (field.defaultText !== undefined) return field.defaultText
  if (field.default === undefined) return 'none'
  if (typeof field.default === 'object')
    return field.default.length === 0 ? 'none' : field.default.join(',')
  return String(field.default)
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** The help text of a program. */
export function renderHelp(program: ConfigProgram, extra: string[] = []): string {
  const lines = [program.summary, '', `Usage: ${program.command} [flags]`, ...extra, '', 'Flags:']
  for (const [name, field] of Object.entries(program.fields)) {
    const variable = environmentName(program.environmentPrefix, name)
    const repeat = field.kind === 'list' ? ' (repeat or separate with commas)' : ''
    if (field.kind === 'secret') lines.push(`  ${variable} (environment or file only)`)
    else lines.push(`  ${flagName(name)} ${field.placeholder}${repeat}`)
    lines.push(...wrap(field.description, 88).map((line) => `      ${line}`))
    lines.push(
      `      Default: ${defaultText(field)}.${field.kind === 'secret' ? '' : ` Environment: ${variable}.`}`,
    )
  }
  lines.push(
    `  --config FILE`,
    `      YAML file with any of these settings by camelCase name. Environment: ${program.environmentPrefix}CONFIG.`,
    `  --print-config`,
    `      Print the effective settings with the origin of each, and exit.`,
    `  --help`,
    `      Print this text, and exit.`,
    '',
    'Flags win over environment variables, these over the file, the file over defaults.',
    '',
  )
  return lines.join('\n')
}

/** Effective settings as YAML, the origin of each as a comment; secrets redacted. */
export function renderConfig(program: ConfigProgram, config: LoadedConfig): string {
  const lines = Object.entries(program.fields).map(([name, field]) => {
    const value = config.values[name]
    const origin = config.origins[name] ?? 'default'
    if (value === undefined) return `# ${name}: (${defaultText(field)})`
    const text =
      field.kind === 'secret'
        ? '"[redacted]"'
        : stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd()
    return `${name}: ${text} # ${origin}`
  })
  return `${lines.join('\n')}\n`
}

/** The section of `docs/configuration.md` about a program. */
function renderMarkdown(program: ConfigProgram): string {
  const rows = Object.entries(program.fields).map(([name, field]) => {
    const flag = field.kind === 'secret' ? 'none' : `\`${flagName(name)} ${field.placeholder}\``
    const variable = `\`${environmentName(program.environmentPrefix, name)}\``
    return `### \`${name}\`\n\n${field.description}\n\nFlag: ${flag}. Environment: ${variable}. Default: ${defaultText(field)}.\n`
  })
  return `## \`${program.command}\`\n\n${program.summary}\n\n${rows.join('\n')}`
}

/** The whole of `docs/configuration.md`. */
export function renderDocument(programs: ConfigProgram[]): string {
  const head = `# Configuration

Generated from \`packages/hub/src/config/hub-fields.ts\` by \`npm run write-configuration -w packages/hub\`; do not edit.

Each setting can be given as a flag, as an environment variable, or in a YAML file (\`--config FILE\`) under its name.
Flags win over environment variables, these over the file, the file over defaults. Lists: repeat the flag, or separate with
commas in flag and environment. A name that is no setting stops the start, as does any wrong value; all problems are
reported at once, exit code 2. \`--print-config\` shows the effective settings and where each comes from. Secrets have no
flag and are never printed.
`
  return [head, ...programs.map(renderMarkdown)].join('\n')
}
