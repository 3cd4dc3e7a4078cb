/**
 * The cache of tokens, each way it can go wrong: shared, cut off, locked, broken, unwritable, copied.
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { identify } from '../../src/credentials/process-identity.ts'
import { readProfile } from '../../src/credentials/profile.ts'
import { createTokenSource } from '../../src/hub/token-source.ts'
import { createTransport } from '../../src/hub/transport.ts'
import { cli, cliProcess, temporaryDirectory } from '../run-cli.ts'
import { applications, startProviderHub, type ProviderHub } from './provider-hub.ts'
import { createBrowser } from './test-browser.ts'

let hub: ProviderHub

beforeAll(async () => {
  hub = await startProviderHub()
})
afterEach(() => {
  hub.instead = undefined
  hub.beforeAnswer = undefined
})
afterAll(() => hub.stop())

const config = (home: string) => join(home, '.config', 'sallyport')
const file = (home: string) => join(config(home), 'credentials.json')
const text = (home: string) => readFileSync(file(home), 'utf8')
type Stored = Record<string, unknown> & { hubs: Record<string, Record<string, unknown>> }
const stored = (home: string) => JSON.parse(text(home)) as Stored
/** The secrets of the only account. */
const secrets = (home: string) => Object.values(stored(home).hubs)[0] ?? {}

function change(home: string, fields: Record<string, unknown>): void {
  const all = stored(home)
  for (const entry of Object.values(all.hubs)) Object.assign(entry, fields)
  writeFileSync(file(home), JSON.stringify(all))
}
/** No life left: the next command must renew. */
const expire = (home: string) => {
  change(home, { expiresAt: 1 })
}
const refreshes = () => hub.grants.filter((grant) => grant === 'refresh_token').length

async function person(): Promise<string> {
  const home = temporaryDirectory()
  const browser = createBrowser(hub.ca)
  const { code, stderr } = await cli(['login', '--hub', hub.url, '--ca-file', hub.caFile], {
    home,
    openBrowser: async (start) => {
      await browser.visit(start)
    },
  })
  await browser.close()
  expect(code, stderr).toBe(0)
  return home
}

async function application(): Promise<string> {
  const home = temporaryDirectory()
  const { clientId, clientSecret } = applications.secret
  const { code, stderr } = await cli(
    ['login', '--service-principal', '-u', clientId, '--hub', hub.url, '--ca-file', hub.caFile],
    { home, env: { SALLYPORT_CLIENT_SECRET: clientSecret } },
  )
  expect(code, stderr).toBe(0)
  return home
}

function tokenSource(home: string, warn: (text: string) => void = () => undefined) {
  const profile = readProfile(config(home)).hubs[hub.url]
  if (profile === undefined) throw new Error('not signed in')
  const transport = createTransport({ origin: hub.url, dial: { ca: hub.ca } })
  const options = { configDirectory: config(home), profile, transport, env: {}, fixed: undefined }
  return {
    token: createTokenSource({ ...options, warn, lockTimeoutMs: 100 }),
    close: () => transport.close(),
  }
}
const { signal } = new AbortController()

describe('refresh tokens', () => {
  it('X084: two programs renewing at once ask once, both succeed; the token is rotated', async () => {
    const home = await person()
    expire(home)
    const { refreshToken: before } = secrets(home)
    const asked = refreshes()
    const results = await Promise.all([
      cliProcess(['group', 'list'], { home }),
      cliProcess(['group', 'list'], { home }),
    ])
    expect(
      results.map(({ code }) => code),
      results[0].stderr + results[1].stderr,
    ).toEqual([0, 0])
    expect(refreshes() - asked).toBe(1)
    expect(secrets(home)['refreshToken']).not.toBe(before)
    expect(secrets(home)['renewing']).toBeUndefined()
  })
  it('killed between answer and write: the used token is never presented again, exit 4, a new login heals', async () => {
    const home = await person()
    expire(home)
    let child: ChildProcess | undefined
    hub.beforeAnswer = async () => {
      const gone = child === undefined ? undefined : once(child, 'exit')
      child?.kill('SIGKILL')
      await gone
    }
    const killed = await cliProcess(['group', 'list'], { home, started: (it) => (child = it) })
    hub.beforeAnswer = undefined
    expect(killed.signal).toBe('SIGKILL')
    const asked = hub.grants.length
    const ended = hub.revoked
    const { code, stderr } = await cli(['group', 'list'], { home })
    expect(code, stderr).toBe(4)
    expect(stderr).toContain('the last renewal of the sign-in was cut off')
    expect(stderr).toContain(`sallyport login --hub ${hub.url}`)
    expect({ asked: hub.grants.length, ended: hub.revoked }).toEqual({ asked, ended })
    const browser = createBrowser(hub.ca)
    const openBrowser = async (start: string) => {
      await browser.visit(start)
    }
    expect((await cli(['login'], { home, openBrowser })).code).toBe(0)
    expect((await cli(['group', 'list'], { home })).code).toBe(0)
    await browser.close()
  })
  it('after a cut-off renewal the old access token is used up to its end', async () => {
    const home = await person()
    change(home, { expiresAt: Date.now() + 60_000, renewing: { pid: 1, at: 1 } })
    const { token, close } = tokenSource(home)
    expect(await token({ signal })).toBe(secrets(home)['accessToken'])
    expire(home)
    await expect(token({ signal })).rejects.toMatchObject({ code: 'ERR_AUTH_EXPIRED' })
    await close()
  })
  it('the hub away in the middle: exit 6, nothing lost, the next one renews', async () => {
    const home = await person()
    expire(home)
    hub.instead = (request) => request.url === '/token' && request.destroy() !== undefined
    expect((await cli(['group', 'list'], { home })).code).toBe(6)
    hub.instead = undefined
    expect((await cli(['group', 'list'], { home })).code).toBe(0)
  })
  it('used twice (a restored copy): exit 4, ERR_AUTH_EXPIRED is not retryable, and the hub is not asked again', async () => {
    const home = await person()
    expire(home)
    const copy = text(home)
    expect((await cli(['group', 'list'], { home })).code).toBe(0)
    writeFileSync(file(home), copy)
    const { token, close } = tokenSource(home)
    await expect(token({ signal })).rejects.toMatchObject({
      code: 'ERR_AUTH_EXPIRED',
      entry: { exit: 4, retryable: false },
    })
    await close()
    hub.instead = (request) => {
      if (request.url === '/token') throw new Error('asked again')
      return false
    }
    const { code, stderr } = await cli(['group', 'list'], { home })
    expect(code).toBe(4)
    expect(stderr).toContain(`sallyport login --hub ${hub.url}`)
  })
  it('the answer cannot be stored: it serves this run, with one warning', async () => {
    const home = await person()
    expire(home)
    const warnings: string[] = []
    const { token, close } = tokenSource(home, (line) => warnings.push(line))
    hub.beforeAnswer = () => {
      rmSync(file(home))
      mkdirSync(file(home))
      return Promise.resolve()
    }
    const first = await token({ signal })
    expect(first).toMatch(/^ey/)
    expect(warnings).toEqual([expect.stringContaining('this run only')])
    await close()
  })
})

describe('the file', () => {
  it('locked by a process that lives: named by its pid; a token with life left is used', async () => {
    const home = await person()
    expire(home)
    writeFileSync(`${file(home)}.lock`, JSON.stringify(identify(process.pid)))
    const { token, close } = tokenSource(home)
    await expect(token({ signal })).rejects.toMatchObject({
      code: 'ERR_FILE_LOCKED',
      message: expect.stringContaining(`process ${process.pid}`) as string,
      entry: { exit: 8 },
    })
    change(home, { expiresAt: Date.now() + 60_000 })
    expect(await token({ signal })).toBe(secrets(home)['accessToken'])
    await close()
  })
  it('broken: an error that names it; login puts it aside, nothing is lost', async () => {
    const home = await person()
    writeFileSync(file(home), '{"half":')
    const broken = await cli(['list'], { home })
    expect(broken.code).toBe(1)
    expect(broken.stderr).toContain(file(home))
    expect(text(home)).toBe('{"half":')
    const browser = createBrowser(hub.ca)
    const again = await cli(['login'], {
      home,
      openBrowser: async (start) => {
        await browser.visit(start)
      },
    })
    await browser.close()
    expect(again.code, again.stderr).toBe(0)
    const aside = readdirSync(config(home)).filter((name) => name.includes('.broken-'))
    expect(again.stderr).toContain(aside[0])
    expect(readFileSync(join(config(home), aside[0] ?? ''), 'utf8')).toBe('{"half":')
  })
  it('copied to another user: refused, exit 4, and the hub is not asked', async () => {
    const home = await person()
    const all = stored(home)
    writeFileSync(file(home), JSON.stringify({ ...all, uid: 4242 }))
    const asked = hub.grants.length
    const { code, stderr } = await cli(['list'], { home })
    expect(code).toBe(4)
    expect(stderr).toContain('was written by user 4242')
    expect(hub.grants.length).toBe(asked)
  })
  it('of an older version is read', async () => {
    const home = await application()
    const all = stored(home)
    const [entry] = Object.values(all.hubs)
    writeFileSync(file(home), JSON.stringify({ version: 1, hubs: { [hub.url]: entry } }))
    const path = join(config(home), 'profile.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace(/,\s*"method": "secret"/, ''))
    expire(home)
    const { code, stderr } = await cli(['group', 'list'], { home })
    expect(code, stderr).toBe(0)
    expect(Object.keys(stored(home).hubs)).toEqual([`${hub.url} ${applications.secret.clientId}`])
  })
})

describe('a disk that takes nothing', () => {
  // A limit of zero on file sizes stops root too; the disk itself need not be full.
  const shell = `trap '' XFSZ; ulimit -f 0;`
  it('an application works with a token in memory, and is warned; no lock is left behind', async () => {
    const home = await application()
    expire(home)
    const before = text(home)
    const { code, stderr } = await cliProcess(['group', 'list'], { home, shell })
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('this run only')
    expect(text(home)).toBe(before)
    expect(existsSync(`${file(home)}.lock`)).toBe(false)
  })
  it('a person with life in the token works; without, the refresh token is not spent: exit 1', async () => {
    const home = await person()
    change(home, { expiresAt: Date.now() + 60_000 })
    expect((await cliProcess(['group', 'list'], { home, shell })).code).toBe(0)
    expire(home)
    const asked = refreshes()
    const { code, stderr } = await cliProcess(['group', 'list'], { home, shell })
    expect(code, stderr).toBe(1)
    expect(stderr).toContain('nothing can be stored')
    expect(refreshes()).toBe(asked)
    expect((await cli(['group', 'list'], { home })).code).toBe(0)
    expect(dirname(file(home))).toBe(config(home))
  })
})
