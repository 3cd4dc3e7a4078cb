/**
 * `sallyport help [COMMAND…]`, `help exit-codes`, `help environment`.
 * @module
 */
import { errorRegistry, SallyportError } from '@sallyport/protocol'
import { write } from '../output/printer.ts'
import type { Command } from './command.ts'
import { findCommand, type Commands } from './find-command.ts'
import { commandHelp, groupHelp } from './help-text.ts'

/** Exit codes and what they mean. */
export const exitCodes: readonly (readonly [number, string])[] = [
  [0, 'done'],
  [1, 'failed'],
  [2, 'wrong usage, or a question nobody was there to answer'],
  [3, 'not found'],
  [4, 'not signed in, or the sign-in or token has expired'],
  [5, 'forbidden, or not trusted'],
  [6, 'hub, relay, agent or cluster is offline'],
  [7, 'timed out'],
  [8, 'conflict: something else holds the name, port or file'],
  [9, 'versions do not fit'],
  [130, 'interrupted (Ctrl-C); 143 after SIGTERM'],
]

const environment: readonly (readonly [string, string])[] = [
  ['SALLYPORT_HUB', 'hub to use, as --hub'],
  ['SALLYPORT_OUTPUT', 'output format, as -o'],
  ['SALLYPORT_CLIENT_SECRET', 'client secret of login'],
  ['SALLYPORT_TOKEN', 'access token to use instead of the stored one'],
  ['SALLYPORT_CONFIG_DIR', 'profile, credentials, known_clusters; default ~/.config/sallyport'],
  ['KUBECONFIG', 'kubeconfig files, read and written as kubectl does'],
  ['HTTPS_PROXY, NO_PROXY', 'forward proxy, and the hosts that are reached without it'],
  ['NO_COLOR, FORCE_COLOR', 'no colours; colours also without a terminal'],
]

/** Topics that are no commands. */
export const helpTopics = ['exit-codes', 'environment'] as const

/** The command that prints help texts on stdout. */
export const createHelp = (commands: Commands): Command => ({
  summary: 'help on a command, or on exit-codes or environment',
  arguments: [
    { name: 'topic', summary: 'command, exit-codes or environment', complete: helpTopics },
    { name: 'verb', summary: 'verb of a command of two words' },
  ],
  options: [],
  examples: [
    { what: 'a command', line: 'sallyport help proxy' },
    { what: 'what the exit codes mean', line: 'sallyport help exit-codes' },
  ],
  run: async ({ flags, stdout }) => {
    const topic = flags.text('topic')
    const verb = flags.text('verb')
    await write(
      stdout,
      await helpOn(
        commands,
        topic === undefined ? [] : verb === undefined ? [topic] : [topic, verb],
      ),
    )
    return 0
  },
})

async function helpOn({ catalogue, programs }: Commands, words: string[]): Promise<string> {
  if (words[0] === 'exit-codes') return exitCodeHelp()
  if (words[0] === 'environment') return list('Environment variables', environment)
  const found = findCommand(catalogue, words)
  if (found.kind === 'command') return commandHelp(await found.entry.load(), found.path)
  if (found.kind === 'group') return groupHelp(found.entry, found.path, programs)
  if (Object.hasOwn(programs, found.word)) {
    return `sallyport ${found.word}: ${programs[found.word] ?? ''}\n\nsallyport ${found.word} --help lists its flags.\n`
  }
  throw new SallyportError('ERR_USAGE', `there is no help on '${words.join(' ')}'`, {
    remedy: `sallyport --help lists the commands; topics are ${helpTopics.join(' and ')}`,
  })
}

function list(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return `${title}\n\n${rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}\n`).join('')}`
}

function exitCodeHelp(): string {
  const rows = exitCodes.map(([code, text]) => {
    const names = Object.entries(errorRegistry).filter(([, entry]) => entry.exit === code)
    return [
      String(code),
      `${text}${names.length === 0 ? '' : ` (${names.map(([name]) => name).join(', ')})`}`,
    ] as const
  })
  const child = ['other', 'proxy -- COMMAND: the exit code of the command'] as const
  return list('Exit codes', [...rows, child])
}
