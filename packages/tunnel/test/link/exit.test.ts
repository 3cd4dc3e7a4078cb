/**
 * After the end of links and sessions nothing keeps the process alive.
 * @module
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'

it.each(['closed in order', 'destroyed', 'agent gone', 'start failed'])(
  'a process ends by itself when its session is %s',
  async (how) => {
    const child = fork(new URL('exit-child.ts', import.meta.url), [how], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--unhandled-rejections=strict'],
    })
    const errors: Buffer[] = []
    child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk))
    await once(child, 'message')
    // From here every timer of the session would show: the shortest is 2 seconds.
    const done = performance.now()
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(Buffer.concat(errors).toString()).toBe('')
    expect(code).toBe(0)
    expect(performance.now() - done).toBeLessThan(1500)
  },
)
