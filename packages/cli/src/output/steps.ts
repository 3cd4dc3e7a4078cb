/**
 * Numbered steps on stderr: `1/6 checking cluster … ok (0.4 s)`.
 * @module
 */
import type { Writable } from 'node:stream'
import { escapeLine } from './escape.ts'
import { seconds } from './time.ts'
import { terminalColumns, type Style } from './style.ts'

/** How steps are shown. */
export interface StepsOptions {
  stderr: Writable
  style: Style
  total: number
  /** --only-show-errors. */
  quiet: boolean
}

const redrawMs = 250
/** Elapsed time is shown from here on. */
const elapsedAfterMs = 3_000

/** Lets a running step say what it waits for. */
export type StepNote = (text: string) => void

/** Runs the steps of one command one after the other and shows each. */
export class Steps {
  readonly #options: StepsOptions
  #number = 0

  constructor(options: StepsOptions) {
    this.#options = options
  }

  /** Number of the step that runs or ran last. */
  get number(): number {
    return this.#number
  }

  /** Runs one step; the text it returns as `note` stands behind "ok". Errors mark the step and are thrown on. */
  async run<T>(title: string, work: (note: StepNote) => Promise<T>): Promise<T> {
    this.#number += 1
    const line = new StepLine(`${this.#number}/${this.#options.total} ${title}`, this.#options)
    try {
      const result = await work((text) => {
        line.note(text)
      })
      line.end('ok')
      return result
    } catch (error) {
      line.end('failed')
      throw error
    }
  }
}

class StepLine {
  readonly #head: string
  readonly #options: StepsOptions
  readonly #started = performance.now()
  readonly #timer: NodeJS.Timeout | undefined
  #note = ''

  constructor(title: string, options: StepsOptions) {
    this.#options = options
    this.#head = `${title} ${options.style.ellipsis}`
    if (options.quiet) return
    options.stderr.write(`${this.#head} `)
    if (!options.style.isLive) return
    this.#timer = setInterval(() => {
      this.#draw()
    }, redrawMs)
    this.#timer.unref()
  }

  /** Shown on a terminal while the step runs, and behind the outcome at its end. */
  note(text: string): void {
    this.#note = escapeLine(text)
  }

  end(outcome: 'ok' | 'failed'): void {
    clearInterval(this.#timer)
    const { stderr, style, quiet } = this.#options
    if (quiet) return
    const elapsed = seconds(performance.now() - this.#started)
    const word = outcome === 'ok' ? style.paint('green', style.ok) : style.paint('red', style.fail)
    const note = this.#note === '' ? '' : `: ${this.#note}`
    const start = style.isLive ? `\r\u001b[2K${this.#head} ` : ''
    stderr.write(`${start}${word} (${elapsed})${note}\n`)
  }

  #draw(): void {
    const { stderr } = this.#options
    const elapsedMs = performance.now() - this.#started
    const elapsed = elapsedMs < elapsedAfterMs ? '' : ` (${Math.floor(elapsedMs / 1000)} s)`
    const note = this.#note === '' ? '' : ` ${this.#note}`
    const text = `${this.#head}${note}${elapsed}`
    stderr.write(`\r\u001b[2K${text.slice(0, (terminalColumns(stderr) ?? 80) - 1)}`)
  }
}
