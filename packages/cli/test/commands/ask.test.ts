/**
 * Questions: asked on a terminal only, answered in full, ended by Ctrl-C.
 * @module
 */
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { ask, canAsk, confirm } from '../../src/commands/ask.ts'
import { collector } from '../run-cli.ts'

function terminal(isTTY = true) {
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: () => undefined })
  return { stdin, stderr: collector(isTTY), signal: new AbortController().signal }
}

describe('questions', () => {
  it('are possible where stdin and stderr are terminals', () => {
    expect(canAsk(terminal())).toBe(true)
    expect(canAsk(terminal(false))).toBe(false)
    expect(canAsk({ ...terminal(), stderr: collector() })).toBe(false)
  })
  it('take a line; only yes is yes', async () => {
    for (const [answer, expected] of [
      ['y', true],
      ['YES', true],
      ['', false],
      ['yep', false],
    ] as const) {
      const here = terminal()
      const answered = confirm(here, 'Trust it?')
      here.stdin.write(`${answer}\n`)
      expect(await answered, answer).toBe(expected)
      expect(here.stderr.text()).toContain('Trust it? [y/N]')
    }
  })
  it('escape what they quote', async () => {
    const here = terminal()
    const answered = ask(here, 'CA \u001b]0;evil\u0007?')
    here.stdin.write('x\n')
    await answered
    expect(here.stderr.text()).toContain('\\u001b]0;evil\\u0007')
  })
  it('end with the abort, with Ctrl-C and with the end of input', async () => {
    const stop = new AbortController()
    const aborted = ask({ ...terminal(), signal: stop.signal }, '?')
    stop.abort(new Error('stopped'))
    await expect(aborted).rejects.toThrow('stopped')
    for (const end of ['\u0003', undefined]) {
      const here = terminal()
      const answered = ask(here, '?')
      if (end === undefined) here.stdin.end()
      else here.stdin.write(end)
      await expect(answered).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' })
    }
  })
})
