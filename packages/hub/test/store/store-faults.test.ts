/**
 * The store under kill -9 and on a full volume.
 * @module
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../src/store/store.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const script = (name: string): string => join(import.meta.dirname, 'support', name)
const run = promisify(execFile)

/** Own mount namespace; unprivileged users need an own user namespace for it. */
const unshare = process.getuid?.() === 0 ? ['-m'] : ['-m', '-r']
const canMount =
  spawnSync('unshare', [...unshare, 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0

let directory: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(() => {
  directory[Symbol.dispose]()
})

describe('kill -9', () => {
  test('loses no acknowledged write and keeps no half one', { timeout: 60_000 }, async () => {
    const acknowledged: string[] = []
    for (const [round, wanted] of [1, 7, 40, 100].entries()) {
      const args = [script('write-until-killed-main.ts'), directory.path, `r${String(round)}`]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      let text = ''
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        if (text.split('\n').length > wanted) child.kill('SIGKILL')
      })
      await once(child, 'close')
      expect(child.signalCode).toBe('SIGKILL')
      acknowledged.push(...text.split('\n').slice(0, -1))
    }
    const store = await openStore({ directory: directory.path })
    const rows = await store.db.selectFrom('subscriptions').select('display_name').execute()
    await store.close()
    const found = Map.groupBy(rows, (row) => row.display_name)
    expect(acknowledged.length).toBeGreaterThanOrEqual(148)
    expect(acknowledged.filter((name) => !found.has(name))).toEqual([])
    expect([...found.values()].filter((halves) => halves.length !== 2)).toEqual([])
  })
})

describe('a full volume', () => {
  test.skipIf(!canMount)('refuses writes, answers reads, and recovers alone', async () => {
    const mounted = join(directory.path, 'small')
    mkdirSync(mounted)
    const command = 'mount -t tmpfs -o size=2m,mode=700 tmpfs "$1" && exec "$2" "$3" "$1"'
    const { stdout } = await run('unshare', [
      ...unshare,
      'sh',
      '-c',
      command,
      'sh',
      mounted,
      process.execPath,
      script('fill-the-disk-main.ts'),
    ])
    const result = JSON.parse(stdout) as Record<string, unknown> & { full: string[] }
    expect(result).toMatchObject({
      before: 'ok',
      lostWhileFull: 0,
      ping: 'ok',
      after: 'ok',
      lost: 0,
      openFull: 'ERR_STORE_FULL',
      openAgain: 'ok',
    })
    expect(new Set(result.full)).toEqual(new Set(['ERR_STORE_FULL']))
  })
})
