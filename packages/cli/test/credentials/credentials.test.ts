/**
 * Files of the user: private, whole, one writer at a time; clear words when they are not.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { withFileLock } from '../../src/credentials/file-lock.ts'
import {
  checkKnownKey,
  findKnownKey,
  forgetKey,
  knownClustersPath,
  rememberKey,
} from '../../src/credentials/known-clusters.ts'
import { readPrivateFile, writePrivateFile } from '../../src/credentials/private-file.ts'
import { identify, isRunning } from '../../src/credentials/process-identity.ts'
import { profilePath, readProfile, updateProfile } from '../../src/credentials/profile.ts'
import { readSecrets, secretsPath, updateSecrets } from '../../src/credentials/secrets.ts'
import { temporaryDirectory } from '../run-cli.ts'

const signal = new AbortController().signal
const place = () => ({
  configDirectory: join(temporaryDirectory(), 'sallyport'),
  key: { name: 'https://h' },
  signal,
})

describe('private files', () => {
  it('are 0600 in a directory of 0700, replaced whole, nothing left beside', () => {
    const { configDirectory } = place()
    const path = join(configDirectory, 'x.json')
    writePrivateFile(path, 'one')
    writePrivateFile(path, 'two')
    expect(readPrivateFile(path)).toBe('two')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(configDirectory).mode & 0o777).toBe(0o700)
    expect(readdirSync(configDirectory)).toEqual(['x.json'])
  })
  it('are closed to others when found open', () => {
    const { configDirectory } = place()
    const path = join(configDirectory, 'x.json')
    writePrivateFile(path, 'one')
    chmodSync(path, 0o644)
    readPrivateFile(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
  it('that cannot be written are named with the reason', () => {
    const { configDirectory } = place()
    mkdirSync(join(configDirectory, 'x.json'), { recursive: true })
    expect(() => {
      writePrivateFile(join(configDirectory, 'x.json'), 'one')
    }).toThrow(expect.objectContaining({ code: 'ERR_FILE_ACCESS' }))
    expect(() => readPrivateFile(join(configDirectory, 'x.json'))).toThrow(
      expect.objectContaining({ code: 'ERR_FILE_ACCESS', why: 'it is a directory' }),
    )
    expect(readdirSync(configDirectory)).toEqual(['x.json'])
  })
})

describe('lock', () => {
  it('lets one in at a time', async () => {
    const { configDirectory } = place()
    const path = join(configDirectory, 'file')
    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 8 }, () =>
        withFileLock(path, { signal }, async () => {
          inside += 1
          most = Math.max(most, inside)
          await Promise.resolve()
          inside -= 1
        }),
      ),
    )
    expect(most).toBe(1)
    expect(existsSync(`${path}.lock`)).toBe(false)
  })
  it('held by another: ERR_FILE_LOCKED after the deadline, naming the lock', async () => {
    const { configDirectory } = place()
    const path = join(configDirectory, 'file')
    mkdirSync(configDirectory, { recursive: true })
    writeFileSync(`${path}.lock`, JSON.stringify(identify(process.pid)))
    await expect(
      withFileLock(path, { signal, timeoutMs: 60 }, () => undefined),
    ).rejects.toMatchObject({
      code: 'ERR_FILE_LOCKED',
      why: `${path}.lock exists`,
      message: expect.stringContaining(`process ${process.pid}`) as string,
    })
  })
  it('of a process that died is taken over', async () => {
    const { configDirectory } = place()
    const path = join(configDirectory, 'file')
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    mkdirSync(configDirectory, { recursive: true })
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: child.pid }))
    expect(await withFileLock(path, { signal }, () => 'in')).toBe('in')
    expect(readdirSync(configDirectory)).toEqual([])
  })
  it('of another process with the same pid is taken over', async () => {
    const { configDirectory } = place()
    const path = join(configDirectory, 'file')
    mkdirSync(configDirectory, { recursive: true })
    writeFileSync(
      `${path}.lock`,
      JSON.stringify({ pid: process.pid, started: 'before the reboot' }),
    )
    expect(await withFileLock(path, { signal }, () => 'in')).toBe('in')
  })
  it('is given back when the work fails', async () => {
    const { configDirectory } = place()
    const path = join(configDirectory, 'file')
    await expect(
      withFileLock(path, { signal }, () => Promise.reject(new Error('no'))),
    ).rejects.toThrow('no')
    expect(existsSync(`${path}.lock`)).toBe(false)
  })
})

describe('process identity', () => {
  it('names this process and no process that is gone', async () => {
    const me = identify(process.pid)
    expect(me).toBeDefined()
    expect(isRunning(me ?? { pid: 0 })).toBe(true)
    expect(isRunning({ pid: process.pid, started: 'earlier' })).toBe(false)
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    expect(isRunning({ pid: child.pid ?? 0 })).toBe(false)
  })
})

describe('profile and secrets', () => {
  it('nothing there: empty', () => {
    const { configDirectory, key } = place()
    expect(readProfile(configDirectory)).toEqual({ version: 1, hubs: {} })
    expect(readSecrets(configDirectory, key)).toBeUndefined()
  })
  it.each(['', '{', 'null', '[]', '{"version":2,"hubs":{}}', '{"version":1,"hubs":{"x":{}}}'])(
    'damaged (%j): ERR_STATE_INVALID with the path and what to do, no content',
    (text) => {
      const { configDirectory, key } = place()
      mkdirSync(configDirectory, { recursive: true })
      writeFileSync(profilePath(configDirectory), text)
      expect(() => readProfile(configDirectory)).toThrow(
        expect.objectContaining({
          code: 'ERR_STATE_INVALID',
          target: profilePath(configDirectory),
        }),
      )
      writeFileSync(secretsPath(configDirectory), text)
      expect(() => readSecrets(configDirectory, key)).toThrow(
        expect.objectContaining({ code: 'ERR_STATE_INVALID' }),
      )
    },
  )
  it('are kept and removed by hub', async () => {
    const here = place()
    await updateSecrets(here, () => ({ clientId: 'a', clientSecret: 's' }))
    await updateSecrets({ ...here, key: { name: 'https://other' } }, () => ({ clientId: 'b' }))
    await updateSecrets(here, () => undefined)
    expect(readSecrets(here.configDirectory, here.key)).toBeUndefined()
    expect(readSecrets(here.configDirectory, { name: 'https://other' })).toEqual({ clientId: 'b' })
    expect(readFileSync(secretsPath(here.configDirectory), 'utf8')).not.toContain('"s"')
    await updateProfile(here.configDirectory, signal, (profile) => {
      profile.current = 'https://h'
    })
    expect(readProfile(here.configDirectory).current).toBe('https://h')
  })
  it('changed at the same time by many: nothing is lost', async () => {
    const here = place()
    await Promise.all(
      Array.from({ length: 10 }, (_item, index) =>
        updateSecrets({ ...here, key: { name: `https://${index}` } }, () => ({
          clientId: String(index),
        })),
      ),
    )
    const text = readFileSync(secretsPath(here.configDirectory), 'utf8')
    expect(text.match(/"clientId"/g)).toHaveLength(10)
  })
})

describe('known_clusters', () => {
  const cluster = () => ({
    configDirectory: place().configDirectory,
    hubOrigin: 'https://h:8443',
    clusterId:
      '/subscriptions/S/resourceGroups/G/providers/Microsoft.Kubernetes/connectedClusters/N',
    clusterName: 'N',
  })
  const key = 'k'.repeat(43)
  const other = 'o'.repeat(43)

  it('first contact, then known, in any case of the id', async () => {
    const here = cluster()
    expect(checkKnownKey(here, key)).toBe('new')
    await rememberKey(here, key, signal)
    expect(checkKnownKey({ ...here, clusterId: here.clusterId.toUpperCase() }, key)).toBe('known')
    expect(readFileSync(knownClustersPath(here.configDirectory), 'utf8')).toBe(
      `https://h:8443 ${here.clusterId.toLowerCase()} SHA256:${key}\n`,
    )
    expect(checkKnownKey({ ...here, hubOrigin: 'https://elsewhere' }, key)).toBe('new')
  })
  it('a changed key stops with both keys, file and line; exit 5', async () => {
    const here = cluster()
    await rememberKey({ ...here, clusterId: '/first' }, other, signal)
    await rememberKey(here, key, signal)
    const path = knownClustersPath(here.configDirectory)
    try {
      checkKnownKey(here, other)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_LINK_AGENT_KEY_CHANGED', entry: { exit: 5 } })
      const { message } = error as Error
      expect(message).toContain(`SHA256:${key}`)
      expect(message).toContain(`SHA256:${other}`)
      expect(message).toContain(`${path}:2`)
    }
  })
  it('is replaced and forgotten without touching other lines and comments', async () => {
    const here = cluster()
    const path = knownClustersPath(here.configDirectory)
    writePrivateFile(path, `# by hand\nhttps://x /other SHA256:${other}\n`)
    await rememberKey(here, other, signal)
    await rememberKey(here, key, signal)
    expect(findKnownKey(here)?.keySha256).toBe(key)
    await forgetKey(here, signal)
    expect(readFileSync(path, 'utf8')).toBe(`# by hand\nhttps://x /other SHA256:${other}\n`)
  })
  it('a damaged line is named, not passed over', () => {
    const here = cluster()
    writePrivateFile(knownClustersPath(here.configDirectory), 'nonsense\n')
    expect(() => findKnownKey(here)).toThrow(/known_clusters:1 is not/)
  })
})
