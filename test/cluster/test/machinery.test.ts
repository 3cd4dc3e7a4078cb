import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAuthority } from '../src/certificates.ts'
import { withFileLock } from '../src/file-lock.ts'
import { freePorts } from '../src/free-ports.ts'
import { identify, isAlive, killProcess } from '../src/process-identity.ts'
import { runCommand } from '../src/run-command.ts'
import { waitUntil } from '../src/wait-until.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'machinery-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

describe('a lock', () => {
  test('lets one in at a time and tells the others that they wait', async () => {
    const order: string[] = []
    let waited = false
    const lock = (onWait?: () => void) => ({
      timeoutMs: 10_000,
      ...(onWait === undefined ? {} : { onWait }),
    })
    const file = join(directory, 'lock')
    await withFileLock(file, lock(), async () => {
      const second = withFileLock(
        file,
        lock(() => (waited = true)),
        async () => {
          order.push('second')
          await Promise.resolve()
        },
      )
      await waitUntil(() => waited, { what: 'the notice', timeoutMs: 5000 })
      order.push('first')
      void second
    })
    await waitUntil(() => order.length === 2, { what: 'the second', timeoutMs: 5000 })
    expect(order).toEqual(['first', 'second'])
  })

  test('is given up at the deadline, and free again when its holder failed', async () => {
    const file = join(directory, 'lock')
    await withFileLock(file, { timeoutMs: 5000 }, async () => {
      const second = withFileLock(file, { timeoutMs: 200 }, () => Promise.resolve(1))
      await expect(second).rejects.toThrow('for too long')
    })
    const failing = withFileLock(file, { timeoutMs: 5000 }, () => Promise.reject(new Error('no')))
    await expect(failing).rejects.toThrow('no')
    expect(await withFileLock(file, { timeoutMs: 5000 }, () => Promise.resolve(1))).toBe(1)
  })
})

describe('an identity', () => {
  test('is alive while its process is, and never again', async () => {
    const child = spawn('sleep', ['60'])
    await once(child, 'spawn')
    const identity = identify(child.pid!)!
    expect(isAlive(identity)).toBe(true)
    expect(isAlive({ ...identity, startTime: '1' })).toBe(false)
    expect(isAlive({ ...identity, bootId: 'another' })).toBe(false)
    const ended = once(child, 'exit')
    killProcess({ ...identity, startTime: '1' })
    expect(isAlive(identity)).toBe(true)
    killProcess(identity)
    expect((await ended)[1]).toBe('SIGKILL')
    expect(isAlive(identity)).toBe(false)
    expect(identify(child.pid!)).toBeUndefined()
  })
})

describe('a command', () => {
  test('that fails is quoted with its last words only', async () => {
    const attempt = runCommand(['sh', '-c', 'seq 1 100 >&2; exit 3'])
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_CLUSTER_COMMAND' })
    await expect(attempt).rejects.toThrow(/exit code 3\n {4}86\n(.*\n)*.*100$/)
  })

  test('that hangs is ended at its deadline, one that does not exist is named', async () => {
    const slow = runCommand(['sleep', '60'], { timeoutMs: 100 })
    await expect(slow).rejects.toThrow('not done after 0.1 s')
    await expect(runCommand(['no-such-program'])).rejects.toThrow('no-such-program')
  })

  test('that is cancelled says so', async () => {
    const controller = new AbortController()
    const attempt = runCommand(['sleep', '60'], { signal: controller.signal })
    controller.abort()
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_CLUSTER_ABORTED' })
    await expect(runCommand(['true'], { signal: controller.signal })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_ABORTED',
    })
  })
})

test('a wait ends with the last reason at its deadline', async () => {
  const look = (): boolean => {
    throw new Error('connection refused')
  }
  const wait = waitUntil(look, { what: 'an answer', timeoutMs: 50 })
  await expect(wait).rejects.toThrow('an answer was not there after 0.05 s: connection refused')
  await expect(wait).rejects.toMatchObject({ code: 'ERR_CLUSTER_TIMEOUT' })
})

test('free ports are different, and none on which somebody listens', async () => {
  const ports = await freePorts(20)
  expect(new Set(ports).size).toBe(20)
  const range = { lowest: ports[0]!, highest: ports[0]! }
  expect(await freePorts(1, range)).toEqual([ports[0]])
  const server = createServer().listen(ports[0], '127.0.0.1')
  await once(server, 'listening')
  await expect(freePorts(1, range)).rejects.toThrow('no 1 free ports')
  server.close()
})

test('certificates are what Go programs accept: SAN, usages, chain, keys for their owner only', async () => {
  const authority = await createAuthority(join(directory, 'pki'))
  const pair = await authority.issue({
    name: 'server',
    commonName: 'system:node:a',
    organization: 'system:nodes',
    hosts: ['localhost', '127.0.0.1'],
  })
  const certificate = new X509Certificate(await readFile(pair.certificate))
  const root = new X509Certificate(await readFile(authority.certificate))
  expect(root.ca).toBe(true)
  expect(certificate.ca).toBe(false)
  expect(certificate.verify(root.publicKey)).toBe(true)
  expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:a')
  expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1')
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'])
  expect((await stat(pair.key)).mode & 0o777).toBe(0o600)
  expect((await stat(authority.key)).mode & 0o777).toBe(0o600)
})
