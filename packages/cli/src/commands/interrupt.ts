/**
 * Ctrl-C: once stops cleanly, twice leaves at once.
 * @module
 */
import { constants } from 'node:os'

/** Signals that end a command. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof signals)[number]

/** Why a run was aborted: an error with the signal's name. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
  readonly signal: StopSignal

  constructor(signal: StopSignal) {
    super('interrupted')
    this.signal = signal
  }
}

/** Exit code after a signal: 128 and its number. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + (constants.signals[signal] ?? 0)
}

/** An abort signal that follows the process signals; `dispose` takes the handlers away. */
export function interruptible(): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController()
  const handlers = signals.map((name) => {
    const handle = (): void => {
      if (controller.signal.aborted) process.exit(exitCodeOf(name))
      controller.abort(new Interruption(name))
    }
    process.on(name, handle)
    return { name, handle }
  })
  return {
    signal: controller.signal,
    dispose: () => {
      for (const { name, handle } of handlers) process.off(name, handle)
    },
  }
}
