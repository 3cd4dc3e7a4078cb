/**
 * Questions on the terminal; without one, an error that names the flag.
 * @module
 */
import { createInterface } from 'node:readline/promises'
import { SallyportError } from '@sallyport/protocol'
import { escapeText } from '../output/escape.ts'
import { isTerminal } from '../output/style.ts'
import type { CommandContext } from './command.ts'

/** Whether a person can be asked: stdin and stderr are terminals. */
export function canAsk(context: Pick<CommandContext, 'stdin' | 'stderr'>): boolean {
  return isTerminal(context.stdin) && isTerminal(context.stderr)
}

/** Asks and returns the trimmed answer. Ctrl-C rejects with the abort's reason. */
export async function ask(
  context: Pick<CommandContext, 'stdin' | 'stderr' | 'signal'>,
  question: string,
): Promise<string> {
  const lines = createInterface({ input: context.stdin, output: context.stderr, terminal: true })
  const interrupted = new AbortController()
  lines.once('SIGINT', () => {
    interrupted.abort(new SallyportError('ERR_INTERRUPTED', 'interrupted'))
  })
  lines.once('close', () => {
    interrupted.abort(new SallyportError('ERR_INTERRUPTED', 'no answer was given'))
  })
  const signal = AbortSignal.any([context.signal, interrupted.signal])
  try {
    return (await lines.question(escapeText(question), { signal })).trim()
  } catch (error) {
    throw signal.aborted ? (signal.reason as Error) : error
  } finally {
    lines.close()
  }
}

/**
 * Has the name of what is about to be destroyed typed in; --yes answers.
 * @throws SallyportError ERR_USAGE without a terminal or with another name.
 */
export async function confirmByName(
  context: CommandContext,
  subject: { name: string; warning: string },
): Promise<void> {
  if (context.flags.on('yes')) return
  if (!canAsk(context)) {
    throw new SallyportError('ERR_USAGE', `${subject.warning}: nobody is there to confirm it`, {
      remedy: 'pass --yes',
    })
  }
  const answer = await ask(context, `${subject.warning}.\nType its name to go on: `)
  if (answer.toLowerCase() === subject.name.toLowerCase()) return
  throw new SallyportError('ERR_USAGE', 'the name does not match; nothing was changed')
}

/** Asks a yes-or-no question; only "yes" and "y" are a yes. */
export async function confirm(
  context: Pick<CommandContext, 'stdin' | 'stderr' | 'signal'>,
  question: string,
): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(context, `${question} [y/N] `))
}
