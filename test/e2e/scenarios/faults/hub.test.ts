/**
 * The hub dies, its disk is full, its store is damaged.
 * @module
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import {
  createActor,
  sallyport,
  sallyportOk,
  sallyportStart,
  type Actor,
} from '../../src/actors.ts'
import { login, startHub } from '../../src/hub-process.ts'
import { ok, run } from '../../src/process.ts'
import { lab } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

let ports = 20_000 + (process.pid % 10_000)

/** A hub of its own for a scenario that breaks one, in the developer's namespace. */
async function ownHub(name: string, dataDirectory?: string) {
  const actor: Actor = createActor(join(lab().directory, name), lab().network.laptop)
  const options = {
    dataDirectory: dataDirectory ?? join(actor.home, 'data'),
    address: '127.0.0.1',
    port: ++ports,
  }
  const hub = await startHub(actor, options)
  await login(actor, hub.info)
  return { actor, options, ...hub }
}

const groups = async (actor: Actor) =>
  (await sallyportOk(actor, ['group', 'list', '--query', '[].name', '-o', 'tsv']))
    .split('\n')
    .filter((name) => name !== '')

verifies('fault.hub-down', async () => {
  const { actor, running } = await ownHub('hub-down')
  await running.stop()
  const result = await sallyport(actor, ['group', 'list'])
  expect(result, result.stderr).toMatchObject({ code: 6, stdout: '' })
  expect(result.stderr).toContain('127.0.0.1')
})

verifies(
  'fault.kill-hub',
  async () => {
    const { actor, options, running, info } = await ownHub('hub-kill')
    let hub = running
    const acknowledged: string[] = []
    for (let round = 0; round < 4; round++) {
      const names = Array.from({ length: 6 }, (_, index) => `r${round}-${index}`)
      const creates = names.map(async (name) => {
        const result = await sallyport(actor, [
          'group',
          'create',
          '-n',
          name,
          '--location',
          'local',
        ])
        if (result.code === 0) acknowledged.push(name)
      })
      // Killed while they run: after the first two are through, the others are somewhere on their way.
      await Promise.all(creates.slice(0, 2))
      process.kill(hub.pid, 'SIGKILL')
      await Promise.all(creates)
      hub = (await startHub(actor, options)).running
      const left = await groups(actor)
      for (const name of acknowledged) expect(left).toContain(name)
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(8)
    expect(info.fingerprint).toMatch(/^sha256:/)
    await hub.stop()
  },
  240_000,
)

verifies(
  'fault.store-full',
  async () => {
    const mount = join(lab().directory, 'small-disk')
    mkdirSync(mount)
    await ok('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', mount])
    const { actor, running } = await ownHub('hub-full', join(mount, 'data'))
    const filler = join(mount, 'filler')
    try {
      await sallyportOk(actor, ['group', 'create', '-n', 'before', '--location', 'local'])
      const block = Buffer.alloc(4096, 1)
      const fd = openSync(filler, 'w')
      try {
        for (;;) writeSync(fd, block)
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' })
      } finally {
        closeSync(fd)
      }
      const failures = []
      for (let index = 0; index < 300; index++) {
        const result = await sallyport(actor, [
          'group',
          'create',
          '-n',
          `full-${index}`,
          '--location',
          'local',
        ])
        if (result.code !== 0) {
          failures.push(result)
          break
        }
      }
      expect(failures).toHaveLength(1)
      expect(failures[0]?.stderr).toMatch(/space/)
      expect(await groups(actor)).toContain('before')
      rmSync(filler)
      await sallyportOk(actor, ['group', 'create', '-n', 'after', '--location', 'local'])
      expect(await groups(actor)).toEqual(expect.arrayContaining(['before', 'after']))
    } finally {
      await running.stop()
      await run('umount', [mount])
    }
  },
  240_000,
)

verifies('fault.store-corrupt', async () => {
  const { actor, options, running } = await ownHub('hub-corrupt')
  await running.stop()
  const file = join(options.dataDirectory, 'hub.db')
  const damaged = readFileSync(file)
  damaged.fill(0x58, 0, 4096)
  writeFileSync(file, damaged)
  const again = sallyportStart(actor, [
    'hub',
    '--data-directory',
    options.dataDirectory,
    '--listen',
    `127.0.0.1:${++ports}`,
  ])
  const end = await again.ended
  expect(end.code).toBe(1)
  expect(end.stderr).toContain(file)
  expect(end.stderr).not.toMatch(/\n\s+at .*:\d+:\d+/)
  expect(readFileSync(file)).toEqual(damaged)
})
