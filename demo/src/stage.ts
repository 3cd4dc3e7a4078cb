/**
 * What the viewer sees: numbered steps with a running clock on a terminal, plain lines elsewhere.
 * @module
 */
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

const out = process.stderr
const isLive = out.isTTY && process.env['TERM'] !== 'dumb' && process.env['CI'] === undefined
const isUtf8 = /utf-?8/i.test(
  process.env['LC_ALL'] ?? process.env['LC_CTYPE'] ?? process.env['LANG'] ?? '',
)
const marks = isUtf8
  ? { ok: '✓', fail: '✗', bar: '│', spin: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] }
  : { ok: 'ok', fail: 'FAIL', bar: '|', spin: ['-', '\\', '|', '/'] }

/** Colours a text when the terminal wants colours (NO_COLOR, TERM and TTY are honoured by Node). */
export const paint = (style: Style, text: string) => styleText(style, text, { stream: out })

/** Writes one line. */
export function line(text = ''): void {
  out.write(`${text}\n`)
}

/** A running step: `note` replaces the text behind its title, `typed` is the command a user would type for it. */
export interface Step {
  note: (text: string) => void
  typed: (command: string) => void
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const spinnerMs = 80
const titleWidth = 26

/** Runs the steps of the show; `total` is printed with each number. */
export class Stage {
  readonly #total: number
  #number = 0

  constructor(total: number) {
    this.#total = total
  }

  /** Runs one step and shows its title, what it is doing, and how long it took. An error marks the step and is thrown on. */
  async step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T> {
    const head = `${++this.#number}/${this.#total}  ${title.padEnd(titleWidth)}`
    const started = performance.now()
    let note = ''
    let command = ''
    let frame = 0
    const draw = () => {
      const spin = marks.spin[frame++ % marks.spin.length] ?? ''
      const width = (out.columns || 80) - 1
      const text = `  ${spin} ${head}${note}  ${seconds(performance.now() - started)}`
      out.write(`\r\u001b[2K${paint('cyan', text.slice(0, width))}`)
    }
    const timer = isLive ? setInterval(draw, spinnerMs) : undefined
    if (!isLive) line(`  .. ${head}`)
    const finish = (mark: string, style: Style) => {
      clearInterval(timer)
      if (isLive) out.write('\r\u001b[2K')
      line(
        `  ${paint(style, mark)} ${head}${note}  ${paint('dim', seconds(performance.now() - started))}`,
      )
      if (command !== '') line(paint('dim', `         $ ${command}`))
    }
    try {
      const result = await work({
        note: (text) => {
          if (!isLive && text !== note) line(`       ${text}`)
          note = text
        },
        typed: (text) => (command = text),
      })
      finish(marks.ok, 'green')
      return result
    } catch (error) {
      finish(marks.fail, 'red')
      throw error
    }
  }
}

/** Shows a command as typed and what it printed, indented under a bar. */
export function transcript(command: string, output: string): void {
  line()
  line(`  ${paint('bold', `$ ${command}`)}`)
  for (const text of output.trimEnd().split('\n')) line(`  ${paint('dim', marks.bar)} ${text}`)
}
