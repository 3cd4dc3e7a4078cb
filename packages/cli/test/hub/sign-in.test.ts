/**
 * Sign-in, accounts and tokens against a real hub.
 * @module
 */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, temporaryDirectory } from '../run-cli.ts'
import { login as loginAt, signedIn as signedInAt, startRealHub, type RealHub } from './real-hub.ts'

let hub: RealHub

beforeAll(async () => {
  hub = await startRealHub()
})
afterAll(() => hub.stop())

const login = (
  home: string,
  more?: string[],
  options: { secret?: string | undefined; stdin?: string } = { secret: hub.clientSecret },
) => loginAt(hub, { home, more, ...options })
const signedIn = () => signedInAt(hub)
const secretsFile = (home: string) => join(home, '.config', 'sallyport', 'credentials.json')

describe('login', () => {
  it('an unknown CA without a terminal: exit 2, both flags named, nothing stored', async () => {
    const home = temporaryDirectory()
    const { code, stderr } = await login(home, [])
    expect(code).toBe(2)
    expect(stderr).toContain('--hub-fingerprint')
    expect(stderr).toContain('--ca-file')
    expect(stderr).toContain(hub.fingerprint)
    expect(existsSync(secretsFile(home))).toBe(false)
  })
  it('a wrong fingerprint: exit 5', async () => {
    const wrong = `sha256:${'00'.repeat(32)}`
    expect((await login(temporaryDirectory(), ['--hub-fingerprint', wrong])).code).toBe(5)
  })
  it('the CA is kept: the second time needs no flag, another CA is refused', async () => {
    const home = await signedIn()
    expect((await login(home, [])).code).toBe(0)
    const profile = join(home, '.config', 'sallyport', 'profile.json')
    const other = await startRealHub()
    try {
      const text = readFileSync(profile, 'utf8')
      const otherCa = JSON.stringify(readFileSync(other.caFile, 'utf8'))
      writeFileSync(profile, text.replace(/"ca": "[^"]*"/, `"ca": ${otherCa}`))
      const { code, stderr } = await login(home, [])
      expect(code).toBe(5)
      expect(stderr).toContain('--hub-fingerprint')
      expect((await cli(['list'], { home })).code).toBe(5)
    } finally {
      await other.stop()
    }
  })
  it('--ca-file', async () => {
    expect((await login(temporaryDirectory(), ['--ca-file', hub.caFile])).code).toBe(0)
    expect((await login(temporaryDirectory(), ['--ca-file', '/nonexistent'])).code).toBe(1)
  })
  it('the secret by file, @file, stdin; on the command line with a warning', async () => {
    const file = join(temporaryDirectory(), 'secret')
    writeFileSync(file, `${hub.clientSecret}\n`)
    const trust = ['--hub-fingerprint', hub.fingerprint]
    for (const args of [
      ['--password-file', file],
      ['-p', `@${file}`],
    ]) {
      const { code, stderr } = await login(temporaryDirectory(), [...trust, ...args], {})
      expect(code, stderr).toBe(0)
      expect(stderr).not.toContain('warning')
    }
    const stdin = await login(temporaryDirectory(), [...trust, '-p', '-'], {
      stdin: hub.clientSecret,
    })
    expect(stdin.code).toBe(0)
    const visible = await login(temporaryDirectory(), [...trust, '-p', hub.clientSecret], {})
    expect(visible.code).toBe(0)
    expect(visible.stderr).toContain('warning')
    expect(visible.stderr).not.toContain(hub.clientSecret)
  })
  it('a wrong secret: exit 4, not shown; a wrong tenant: exit 4', async () => {
    const wrong = await login(temporaryDirectory(), undefined, { secret: 'WRONG-SECRET' })
    expect(wrong.code).toBe(4)
    expect(wrong.stderr).not.toContain('WRONG-SECRET')
    expect(wrong.stderr).toContain('request id')
    const tenant = ['--hub-fingerprint', hub.fingerprint, '--tenant', 'nobody']
    const { code, stderr } = await login(temporaryDirectory(), tenant)
    expect(code).toBe(4)
    expect(stderr).toContain('--tenant')
  })
  it('a port where no hub is: exit 6', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const args = ['login', '--service-principal', '-u', 'x', '--hub', `https://127.0.0.1:${port}`]
    const env = { SALLYPORT_CLIENT_SECRET: 'x' }
    expect((await cli(args, { env })).code).toBe(6)
    server.close()
    await once(server, 'close')
    expect((await cli(args, { env })).code).toBe(6)
  })
  it('files are private; no secret is printed by any account command, --debug included', async () => {
    const home = await signedIn()
    expect(statSync(secretsFile(home)).mode & 0o777).toBe(0o600)
    const { accessToken } = (
      JSON.parse(readFileSync(secretsFile(home), 'utf8')) as {
        hubs: Record<string, { accessToken: string }>
      }
    ).hubs[`${hub.url} ${hub.clientId}`] ?? { accessToken: '' }
    for (const argv of [
      ['account', 'show'],
      ['account', 'list'],
      ['whoami'],
      ['list', '--debug'],
      ['version', '--debug'],
    ]) {
      const { code, stdout, stderr } = await cli(argv, { home })
      expect(code, argv.join(' ')).toBe(0)
      expect(stdout + stderr).not.toContain(hub.clientSecret)
      expect(stdout + stderr).not.toContain(accessToken)
    }
  })
})

describe('account', () => {
  it('names hub, tenant, subscription, principal', async () => {
    const home = await signedIn()
    const { stdout } = await cli(['account', 'show', '-o', 'json'], { home })
    expect(JSON.parse(stdout)).toMatchObject({
      id: hub.subscriptionId,
      tenantId: hub.tenantId,
      hub: hub.url,
      isDefault: true,
      user: { name: hub.clientId, objectId: hub.objectId },
    })
    expect((await cli(['whoami', '--query', 'objectId', '-o', 'tsv'], { home })).stdout).toBe(
      `${hub.objectId}\n`,
    )
  })
  it('logout: exit 4 afterwards with the command that signs in again; the CA stays known', async () => {
    const home = await signedIn()
    expect((await cli(['logout'], { home })).code).toBe(0)
    expect(readFileSync(secretsFile(home), 'utf8')).not.toContain(hub.clientSecret)
    const { code, stderr } = await cli(['list'], { home })
    expect(code).toBe(4)
    expect(stderr).toContain(`sallyport login --hub ${hub.url}`)
    expect((await cli(['account', 'show'], { home })).code).toBe(4)
    expect((await login(home, [])).code).toBe(0)
  })
})

describe('tokens', () => {
  /** Changes the stored secrets of the hub. */
  function change(home: string, fields: Record<string, unknown>): void {
    const file = JSON.parse(readFileSync(secretsFile(home), 'utf8')) as {
      hubs: Record<string, Record<string, unknown>>
    }
    Object.assign(file.hubs[`${hub.url} ${hub.clientId}`] ?? {}, fields)
    writeFileSync(secretsFile(home), JSON.stringify(file))
  }
  const stored = (home: string) => readFileSync(secretsFile(home), 'utf8')

  it('one about to expire is renewed, once, by whichever command comes first', async () => {
    const home = await signedIn()
    change(home, { expiresAt: Date.now() + 1_000 })
    const before = stored(home)
    const results = await Promise.all(
      Array.from({ length: 4 }, () => cli(['group', 'list'], { home })),
    )
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0])
    const after = stored(home)
    expect(after).not.toBe(before)
    expect((await cli(['group', 'list'], { home })).code).toBe(0)
    expect(stored(home)).toBe(after)
  })
  it('one the hub refuses is replaced', async () => {
    const home = await signedIn()
    change(home, { accessToken: 'nonsense' })
    expect((await cli(['list'], { home })).code).toBe(0)
  })
  it('expired and no secret to renew it: exit 4 with the exact command', async () => {
    const home = await signedIn()
    change(home, { expiresAt: 1, clientSecret: undefined })
    const { code, stderr } = await cli(['list'], { home })
    expect(code).toBe(4)
    expect(stderr).toContain(
      `sallyport login --service-principal -u ${hub.clientId} --tenant ${hub.tenantId} --hub ${hub.url}`,
    )
  })
  it('expired and the secret no longer good: exit 4', async () => {
    const home = await signedIn()
    change(home, { expiresAt: 1, clientSecret: 'changed' })
    const { code, stderr } = await cli(['list'], { home })
    expect(code).toBe(4)
    expect(stderr).toContain('no longer accepts')
  })
  it('damaged, locked and unreadable files: clear errors', async () => {
    const home = await signedIn()
    const good = stored(home)
    writeFileSync(secretsFile(home), '{')
    const damaged = await cli(['list'], { home })
    expect(damaged.code).toBe(1)
    expect(damaged.stderr).toContain(secretsFile(home))
    writeFileSync(secretsFile(home), good)
    change(home, { expiresAt: 1 })
    chmodSync(join(home, '.config', 'sallyport'), 0o500)
    const readOnly = await cli(['list'], { home })
    chmodSync(join(home, '.config', 'sallyport'), 0o700)
    expect(readOnly.code, readOnly.stderr).toBe(0)
    // Root may write anyway.
    if (process.getuid?.() !== 0) expect(readOnly.stderr).toContain('for this run only')
  })
  it('SALLYPORT_TOKEN is used as it is', async () => {
    const home = await signedIn()
    const env = { SALLYPORT_TOKEN: 'nonsense' }
    const { code, stderr } = await cli(['list'], { home, env })
    expect(code).toBe(4)
    expect(stderr).toContain('SALLYPORT_TOKEN')
  })
})
