/**
 * The program behind `--`, and the lines about a link that comes and goes.
 * @module
 */
import { existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { SallyportError } from '@sallyport/protocol'
import { Interruption } from '../../src/commands/interrupt.ts'
import { runChild } from '../../src/proxy/child.ts'
import { createNotices } from '../../src/proxy/notices.ts'
import { collector } from '../run-cli.ts'

async function run(script: string, signal = new AbortController().signal, stdin: string[] = []) {
  const stdout = collector()
  const code = await runChild({
    command: ['sh', '-c', script],
    kubeconfig: 'the kubeconfig',
    env: { PATH: process.env['PATH'] },
    stdio: { stdin: Readable.from(stdin), stdout, stderr: collector() },
    signal,
  })
  return { code, stdout: stdout.text() }
}

describe('child', () => {
  it('gets a private kubeconfig that is gone afterwards; its code is ours', async () => {
    const { code, stdout } = await run(
      'echo $KUBECONFIG; cat $KUBECONFIG; stat -c %a $KUBECONFIG; exit 42',
    )
    const [path = '', ...rest] = stdout.trimEnd().split('\n')
    expect({ code, rest }).toEqual({ code: 42, rest: ['the kubeconfig600'] })
    expect(existsSync(path)).toBe(false)
  })
  it('reads our stdin', async () => {
    expect((await run('cat', undefined, ['piped'])).stdout).toBe('piped')
  })
  it('gets our signal; died by one: 128 and its number', async () => {
    const stop = new AbortController()
    const stdout = collector()
    const ended = runChild({
      command: ['sh', '-c', "trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done"],
      kubeconfig: '',
      env: { PATH: process.env['PATH'] },
      stdio: { stdin: Readable.from([]), stdout, stderr: collector() },
      signal: stop.signal,
    })
    stdout.once('data', () => {
      stop.abort(new Interruption('SIGTERM'))
    })
    expect(await ended).toBe(7)
    expect((await run('kill -9 $$')).code).toBe(137)
  })
  it('that does not exist is named', async () => {
    const signal = new AbortController().signal
    const stdio = { stdin: Readable.from([]), stdout: collector(), stderr: collector() }
    await expect(
      runChild({ command: ['no-such-program'], kubeconfig: '', env: {}, stdio, signal }),
    ).rejects.toMatchObject({ code: 'ERR_CHILD_FAILED', message: "cannot start 'no-such-program'" })
  })
})

describe('notices', () => {
  const lost = new SallyportError('ERR_LINK_LOST', 'gone', { why: 'reset' })
  const away = new SallyportError('ERR_RELAY_NO_LISTENER', 'no listener')
  it('one line when lost, one when back, however often it is dialled', () => {
    const lines: string[] = []
    const tell = createNotices('prod', (text) => lines.push(text))
    tell({ state: 'connecting' })
    tell({ state: 'connected', mode: 'raw', sessionId: 's' })
    tell({ state: 'connected', mode: 'raw', sessionId: 's' })
    for (let again = 0; again < 5; again++) {
      tell({ state: 'reconnecting', error: lost, retryInMs: 1 })
    }
    tell({ state: 'connected', mode: 'raw', sessionId: 's' })
    expect(lines).toEqual([
      "the connection to 'prod' was lost (gone: reset); dialling again",
      "connected to 'prod' again after 0 s",
    ])
  })
  it('waiting at the start is said once, and being connected then is no news', () => {
    const lines: string[] = []
    const tell = createNotices('prod', (text) => lines.push(text))
    tell({ state: 'reconnecting', error: away, retryInMs: 1 })
    tell({ state: 'reconnecting', error: away, retryInMs: 1 })
    tell({ state: 'connected', mode: 'raw', sessionId: 's' })
    expect(lines).toEqual(["waiting for 'prod' up to 20 s: its agent is not connected"])
  })
})
