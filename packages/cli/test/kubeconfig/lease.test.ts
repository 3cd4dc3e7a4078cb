/**
 * What a proxy writes into kubeconfigs, and how every end of it leaves them.
 * @module
 */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import {
  checkLease,
  cleanUpDead,
  removeContext,
  takeLease,
  type LeaseOptions,
} from '../../src/kubeconfig/lease.ts'
import { destinationFile, kubeconfigFiles } from '../../src/kubeconfig/locate.ts'
import { readRecords, writeRecord } from '../../src/kubeconfig/proxy-record.ts'
import { temporaryDirectory } from '../run-cli.ts'

const mine =
  '# mine\napiVersion: v1\nkind: Config\nclusters: []\ncontexts:\n- name: mine\n  context: {cluster: c, user: u}\nusers: []\ncurrent-context: mine # the one\n'

let counter = 0
const access = (context = 'prod') => ({
  context,
  server: 'https://127.0.0.1:47011',
  ca: 'CA',
  clientCertificate: 'CERT',
  clientKey: 'KEY',
  proxyId: `${String(++counter).padStart(12, '0')}-0000`,
  pid: process.pid,
})

function place(text?: string) {
  const directory = temporaryDirectory()
  const file = join(directory, 'config')
  if (text !== undefined) writeFileSync(file, text, { mode: 0o600 })
  const options = (more: Partial<LeaseOptions> = {}): LeaseOptions => ({
    configDirectory: join(directory, 'sallyport'),
    files: [file],
    file,
    context: 'prod',
    overwrite: false,
    setCurrent: true,
    keep: false,
    signal: new AbortController().signal,
    ...more,
  })
  return { directory, file, options, read: () => readFileSync(file, 'utf8') }
}

const current = (text: string) => (parse(text) as Record<string, unknown>)['current-context']

/** Pid of a process that is gone. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  return child.pid ?? 0
}

/** The records as they are after `kill -9` of the proxies that wrote them. */
async function kill(configDirectory: string): Promise<void> {
  const pid = await deadProcess()
  for (const record of readRecords(configDirectory))
    writeRecord(configDirectory, { ...record, pid })
}

describe('one proxy', () => {
  it('writes, sets current-context, and restores every byte', async () => {
    const { options, read } = place(mine)
    await checkLease(options())
    const lease = await takeLease(options(), access())
    expect(lease.previous).toBe('mine')
    expect(read()).toContain('# mine')
    expect(current(read())).toBe('prod')
    await lease.release()
    expect(read()).toBe(mine)
    expect(readRecords(options().configDirectory)).toEqual([])
  })
  it('leaves current-context alone when told so', async () => {
    const { options, read } = place(mine)
    const lease = await takeLease(options({ setCurrent: false }), access())
    expect(current(read())).toBe('mine')
    await lease.release()
    expect(read()).toBe(mine)
  })
  it('makes a file that is not there, mode 0600, and removes it again', async () => {
    const { options, file } = place()
    const lease = await takeLease(options(), access())
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await lease.release()
    expect(existsSync(file)).toBe(false)
  })
  it('keeps mode, follows a symbolic link, leaves no temporary file and no lock', async () => {
    const { options, file, directory } = place(mine)
    chmodSync(file, 0o640)
    const link = join(directory, 'link')
    symlinkSync(file, link)
    const lease = await takeLease(options({ file: link, files: [link] }), access())
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(file, 'utf8')).toContain('sallyport-prod')
    await lease.release()
    expect(readFileSync(file, 'utf8')).toBe(mine)
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(readdirSync(directory).sort()).toEqual(['config', 'link', 'sallyport'])
  })
  it('--keep leaves the entries', async () => {
    const { options, read } = place(mine)
    const lease = await takeLease(options({ keep: true }), access())
    const during = read()
    await lease.release()
    expect(read()).toBe(during)
  })
  it('takes back only its own from a file edited meanwhile', async () => {
    const { options, read, file } = place(mine)
    const lease = await takeLease(options(), access())
    writeFileSync(file, `${read()}# added by hand\n`)
    await lease.release()
    expect(read()).toContain('# added by hand')
    expect(read()).not.toContain('sallyport')
    expect(current(read())).toBe('mine')
  })
  it('does not bring back a file the user removed', async () => {
    const { options, file } = place(mine)
    const lease = await takeLease(options(), access())
    const { rmSync } = await import('node:fs')
    rmSync(file)
    await lease.release()
    expect(existsSync(file)).toBe(false)
  })
})

describe('contexts of others', () => {
  const foreign = mine.replaceAll('name: mine', 'name: prod')
  it('are not overwritten: exit 8, unchanged', async () => {
    const { options, read } = place(foreign)
    await expect(checkLease(options())).rejects.toMatchObject({ code: 'ERR_KUBECONFIG_CONFLICT' })
    await expect(takeLease(options(), access())).rejects.toMatchObject({
      code: 'ERR_KUBECONFIG_CONFLICT',
      entry: { exit: 8 },
    })
    expect(read()).toBe(foreign)
  })
  it('are replaced with --overwrite, and are back at the end', async () => {
    const { options, read } = place(foreign)
    const lease = await takeLease(options({ overwrite: true }), access())
    expect(read().match(/name: prod$/gm)).toHaveLength(1)
    await lease.release()
    expect(read()).toBe(foreign)
  })
  it('count in every file of KUBECONFIG', async () => {
    const { options, directory } = place(mine)
    const second = join(directory, 'second')
    writeFileSync(second, foreign)
    const files = [options().file, second]
    await expect(checkLease(options({ files }))).rejects.toMatchObject({
      code: 'ERR_KUBECONFIG_CONFLICT',
    })
  })
})

describe('several proxies on one file', () => {
  it('end in any order and leave the file as it was', async () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
      [1, 2, 0],
    ]) {
      const { options, read } = place(mine)
      const leases = []
      for (const context of ['a', 'b', 'c'])
        leases.push(await takeLease(options({ context }), access(context)))
      for (const index of order) await leases[index]?.release()
      expect(current(read()), order.join()).toBe('mine')
      expect(read()).not.toContain('sallyport')
      expect(parse(read())).toEqual(parse(mine))
      if (order[0] === 2 && order[1] === 1) expect(read()).toBe(mine)
    }
  })
  it('a second one to the same context is refused while the first lives', async () => {
    const { options } = place(mine)
    const lease = await takeLease(options(), access())
    await expect(checkLease(options())).rejects.toMatchObject({ code: 'ERR_KUBECONFIG_CONFLICT' })
    await lease.release()
    await checkLease(options())
  })
})

describe('a proxy that was killed', () => {
  it('is cleaned up by the next start, byte for byte', async () => {
    const { options, read } = place(mine)
    await takeLease(options(), access())
    await kill(options().configDirectory)
    await checkLease(options())
    expect(read()).toBe(mine)
    expect(readRecords(options().configDirectory)).toEqual([])
  })
  it('two of them, too, and in other files than the one of the next start', async () => {
    const { options, read } = place(mine)
    await takeLease(options({ context: 'a' }), access('a'))
    await takeLease(options({ context: 'b' }), access('b'))
    await kill(options().configDirectory)
    await cleanUpDead(options())
    expect(read()).toBe(mine)
  })
  it('does not stop the next start when its record is damaged', async () => {
    const { options } = place(mine)
    mkdirSync(join(options().configDirectory, 'proxies'), { recursive: true })
    writeFileSync(join(options().configDirectory, 'proxies', 'x.json'), '{"version":1')
    await checkLease(options())
    expect(readRecords(options().configDirectory)).toEqual([])
  })
  it('is replaced when its record is lost', async () => {
    const { options, read } = place(mine)
    await takeLease(options(), access())
    const lost = options({ configDirectory: join(options().configDirectory, 'other') })
    await checkLease(lost)
    const lease = await takeLease(lost, access())
    expect(read().match(/name: prod$/gm)).toHaveLength(1)
    await lease.release()
    expect(read()).not.toContain('- name: prod')
  })
  it('no secret of a record is a secret of the kubeconfig', async () => {
    const secret = mine.replace('users: []', 'users:\n- name: u\n  user: {token: TOP-SECRET}')
    const { options } = place(secret)
    await takeLease(options(), access())
    expect(JSON.stringify(readRecords(options().configDirectory))).not.toContain('TOP-SECRET')
  })
})

describe('a file that cannot be written', () => {
  it('is named before anything is done', async () => {
    const { options, file, read } = place(mine)
    chmodSync(file, 0o400)
    await expect(checkLease(options())).rejects.toMatchObject({
      code: 'ERR_FILE_ACCESS',
      target: file,
    })
    expect(read()).toBe(mine)
    const { directory } = place()
    await expect(
      checkLease(options({ file: directory, files: [directory] })),
    ).rejects.toMatchObject({ code: 'ERR_FILE_ACCESS' })
  })
  it('broken: named, unchanged', async () => {
    const { options, file, read } = place('clusters: [unclosed\n')
    await expect(checkLease(options())).rejects.toMatchObject({
      code: 'ERR_KUBECONFIG',
      target: file,
    })
    expect(read()).toBe('clusters: [unclosed\n')
  })
  it('locked by kubectl: waited for, then named', async () => {
    const { options, file } = place(mine)
    writeFileSync(`${file}.lock`, '')
    const signal = AbortSignal.timeout(200)
    await expect(checkLease(options({ signal }))).rejects.toThrow()
  })
})

describe('delete', () => {
  it('removes what --keep left, and nothing of others', async () => {
    const { options, read, file } = place(mine)
    const lease = await takeLease(options({ keep: true }), access())
    await lease.release()
    await removeContext({ ...options(), file, context: 'prod' })
    expect(read()).not.toContain('sallyport')
    await removeContext({ ...options(), file, context: 'mine' })
    expect(read()).toContain('name: mine')
  })
})

describe('which file', () => {
  it('as client-go: the first that exists, else the last; else ~/.kube/config', () => {
    const directory = temporaryDirectory()
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ]
    expect(kubeconfigFiles({}, '/home/x')).toEqual(['/home/x/.kube/config'])
    const files = kubeconfigFiles({ KUBECONFIG: [a, '', b, a, c].join(':') }, '/home/x')
    expect(files).toEqual([a, b, c])
    expect(destinationFile(files)).toBe(c)
    writeFileSync(b, '')
    expect(destinationFile(files)).toBe(b)
  })
})
