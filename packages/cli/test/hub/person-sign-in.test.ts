/**
 * People sign in: browser with PKCE on a loopback redirect, and device code, against a certified provider.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { receiveCode } from '../../src/hub/loopback.ts'
import { cli, temporaryDirectory } from '../run-cli.ts'
import { startProviderHub, type ProviderHub } from './provider-hub.ts'
import { createBrowser, type Visit } from './test-browser.ts'

let hub: ProviderHub
const alice = { accountId: 'object-of-alice', username: 'alice@example.com' }

beforeAll(async () => {
  hub = await startProviderHub()
})
afterEach(() => {
  hub.person = alice
  hub.instead = undefined
  hub.beforeAnswer = undefined
})
afterAll(() => hub.stop())

const credentials = (home: string) => join(home, '.config', 'sallyport', 'credentials.json')

/** Signs in by browser; `before` runs with the start address before the browser goes there. */
async function signIn(
  home: string,
  options: { more?: string[]; before?: (start: string) => Promise<void> } = {},
) {
  const visits: Visit[] = []
  const browser = createBrowser(hub.ca)
  const result = await cli(
    ['login', '--hub', hub.url, '--ca-file', hub.caFile, ...(options.more ?? [])],
    {
      home,
      openBrowser: async (start) => {
        await options.before?.(start)
        visits.push(await browser.visit(start))
      },
    },
  )
  await browser.close()
  return { ...result, visits }
}

describe('login in the browser', () => {
  it('signs in who signed in there; whoami, account show and the page say so', async () => {
    const home = temporaryDirectory()
    const { code, stderr, visits } = await signIn(home)
    expect(code, stderr).toBe(0)
    expect(stderr).toContain(`signed in at ${hub.url} as alice@example.com`)
    expect(visits[0]?.text).toContain('You are alice@example.com in the terminal now.')
    expect(visits[0]?.headers.get('content-security-policy')).toContain("default-src 'none'")
    const who = await cli(['whoami', '-o', 'json'], { home })
    expect(JSON.parse(who.stdout)).toMatchObject({
      name: 'alice@example.com',
      objectId: 'object-of-alice',
      type: 'user',
      hub: hub.url,
    })
    const shown = await cli(['account', 'show', '-o', 'json'], { home })
    expect(JSON.parse(shown.stdout)).toMatchObject({
      id: hub.subscriptionId,
      user: { name: 'alice@example.com', type: 'user' },
    })
    expect(statSync(credentials(home)).mode & 0o777).toBe(0o600)
    expect((await cli(['group', 'list'], { home })).code).toBe(0)
  })
  it('a refusal in the browser: exit 4, nothing stored, the page says it failed', async () => {
    hub.person = 'refuses'
    const home = temporaryDirectory()
    const { code, stderr, visits } = await signIn(home)
    expect(code, stderr).toBe(4)
    expect(visits[0]?.text).toContain('Sign-in failed')
    expect(existsSync(credentials(home))).toBe(false)
  })
  it('X083: bogus answers by other programs, with and without the right state, are ignored', async () => {
    const home = temporaryDirectory()
    const statuses: number[] = []
    const { code, stderr } = await signIn(home, {
      before: async (start) => {
        const { origin } = new URL(start)
        const get = async (path: string, host?: string) => {
          const sent = request(`${origin}${path}`, host === undefined ? {} : { headers: { host } })
          sent.end()
          const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
          response.resume()
          statuses.push(response.statusCode ?? 0)
          return response.headers.location
        }
        await get('/callback?code=bogus&state=guessed')
        await get('/callback?error=access_denied&state=guessed')
        await get('/callback')
        await get('/')
        await get('/start/guessed')
        await get('/callback?code=bogus&state=guessed', 'attacker.example')
      },
    })
    expect(code, stderr).toBe(0)
    expect(statuses).toEqual([404, 404, 404, 404, 404, 404])
  })
  it('T-CLI-1: the address for the command line of the browser tells nothing and leads on once', async () => {
    let second = 0
    const { code, stderr } = await signIn(temporaryDirectory(), {
      before: async (start) => {
        expect(start).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/start\/[\w-]{22}$/)
        await Promise.resolve()
      },
    })
    expect(code, stderr).toBe(0)
    const result = receiveCode<string>(
      {
        state: 's',
        issuer: hub.url,
        authorizationUrl: () => `${hub.url}/auth?secret`,
        redeem: () => Promise.resolve('in'),
        greeting: (value) => value,
        signal: new AbortController().signal,
      },
      ({ start }) => {
        void (async () => {
          const first = await fetch(start, { redirect: 'manual' })
          expect(first.headers.get('location')).toContain('secret')
          second = (await fetch(start, { redirect: 'manual' })).status
          await fetch(`${new URL(start).origin}/callback?state=s&code=c`)
        })()
      },
    )
    expect(await result).toBe('in')
    expect(second).toBe(404)
  })
  it('X082: a code for another verifier, redirect or client is refused and nothing is stored', async () => {
    const home = temporaryDirectory()
    const stop = new AbortController()
    const browser = createBrowser(hub.ca)
    // A code of another authorization request, brought to this one with its own state.
    const foreign = new URL(`${hub.url}/auth`)
    const parameters = {
      client_id: '8372d1b7-9c67-4239-8a05-7049a5c9bcfe',
      response_type: 'code',
      redirect_uri: 'http://127.0.0.1:1/callback',
      scope: 'openid',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    }
    for (const [name, value] of Object.entries(parameters)) foreign.searchParams.set(name, value)
    const statuses: number[] = []
    const result = await cli(['login', '--hub', hub.url, '--ca-file', hub.caFile], {
      home,
      signal: stop.signal,
      openBrowser: async (start) => {
        const { origin } = new URL(start)
        const toHub = await fetch(start, { redirect: 'manual' })
        const state = new URL(toHub.headers.get('location') ?? '').searchParams.get('state') ?? ''
        const caught = await browser.visit(foreign.href).catch((error: unknown) => error)
        expect(caught).toBeInstanceOf(Error)
        for (const code of ['bogus', 'of-another-verifier']) {
          const answer = await fetch(`${origin}/callback?code=${code}&state=${state}`)
          statuses.push(answer.status)
        }
        stop.abort(new Error('the test has seen enough'))
      },
    })
    await browser.close()
    expect(result.code).not.toBe(0)
    expect(statuses).toEqual([404, 404])
    expect(existsSync(credentials(home))).toBe(false)
  })
  it('nobody comes: ERR_TIMEOUT, and the port is closed', async () => {
    let address = ''
    const waiting = receiveCode<string>(
      {
        state: 's',
        issuer: hub.url,
        authorizationUrl: () => hub.url,
        redeem: () => Promise.resolve('in'),
        greeting: (value) => value,
        signal: new AbortController().signal,
        timeoutMs: 20,
      },
      ({ start }) => (address = start),
    )
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    await expect(fetch(address)).rejects.toThrow()
  })
  it('BROWSER is started with the address, and its arguments hold no secret', async () => {
    const home = temporaryDirectory()
    const seen = join(home, 'seen')
    const script = join(home, 'browser.sh')
    writeFileSync(
      script,
      `#!/bin/sh\nprintf '%s' "$*" > '${seen}.part' && mv '${seen}.part' '${seen}'\n`,
    )
    chmodSync(script, 0o700)
    const stop = new AbortController()
    const running = cli(['login', '--hub', hub.url, '--ca-file', hub.caFile], {
      home,
      env: { BROWSER: script },
      signal: stop.signal,
    })
    await expect.poll(() => existsSync(seen)).toBe(true)
    stop.abort(new Error('seen'))
    await running
    expect(readFileSync(seen, 'utf8')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/start\/[\w-]+$/)
  })
  it('T-CLI-3: an authorization endpoint elsewhere is refused before a browser opens', async () => {
    hub.instead = (incoming, response) => {
      if (incoming.url?.includes('openid-configuration') !== true) return false
      response.end(
        JSON.stringify({
          issuer: hub.url,
          token_endpoint: `${hub.url}/token`,
          authorization_endpoint: 'https://elsewhere.example/auth',
        }),
      )
      return true
    }
    const { code, stderr, visits } = await signIn(temporaryDirectory())
    expect(code).toBe(5)
    expect(stderr).toContain('https://elsewhere.example')
    expect(visits).toEqual([])
  })
})

describe('login with a code', () => {
  /** Enters the code that the command shows. */
  async function enterCode(home: string, more: string[] = []) {
    const browser = createBrowser(hub.ca)
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, '../../src/main.ts'),
        'login',
        '--use-device-code',
        '--hub',
        hub.url,
        '--ca-file',
        hub.caFile,
        ...more,
      ],
      { env: { HOME: home, PATH: process.env['PATH'], NO_COLOR: '1' }, stdio: 'pipe' },
    )
    let stderr = ''
    let commandLine = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      const [, address, userCode] =
        /open (\S+) in a browser and enter the code (\S+) within/.exec(stderr) ?? []
      if (address === undefined || userCode === undefined || commandLine !== '') return
      commandLine = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')
      void (async () => {
        const form = await browser.visit(address)
        const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(form.text) ?? []
        await browser.visit(address, { xsrf, user_code: userCode })
        await browser.visit(address, { xsrf, user_code: userCode, confirm: 'yes' })
      })()
    })
    const [code] = (await once(child, 'exit')) as [number]
    await browser.close()
    return { code, stderr, commandLine }
  }
  it('shows address and code, waits, signs in', async () => {
    const home = temporaryDirectory()
    hub.person = { accountId: 'object-of-bob', username: 'bob@example.com' }
    const { code, stderr, commandLine } = await enterCode(home)
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('signed in')
    expect((await cli(['whoami', '--query', 'name', '-o', 'tsv'], { home })).stdout).toBe(
      'bob@example.com\n',
    )
    // T-CLI-1: `ps` shows no more than was typed.
    expect(commandLine.split('\0')).toHaveLength(8 + 1)
  })
  it('a refusal in the browser: exit 4', async () => {
    hub.person = 'refuses'
    const { code, stderr } = await enterCode(temporaryDirectory())
    expect(code, stderr).toBe(4)
  })
  it('T-TERM-1: a code with escapes is shown escaped; an address elsewhere is refused', async () => {
    const answer = (verification: string) => {
      hub.instead = (incoming, response) => {
        if (incoming.url !== '/device/auth') return false
        const body = { device_code: 'd', user_code: 'A\u001b[31mB', verification_uri: verification }
        response.end(JSON.stringify({ ...body, expires_in: 1, interval: 0 }))
        return true
      }
    }
    const line = ['login', '--device-code', '--hub', hub.url, '--ca-file', hub.caFile]
    answer(`${hub.url}/device`)
    const shown = await cli(line)
    expect(shown.stderr).toContain('A\\u001b[31mB')
    expect(shown.stderr).not.toContain('\u001b')
    answer('https://elsewhere.example/device')
    const refused = await cli(line)
    expect(refused.code).toBe(5)
    expect(refused.stderr).not.toContain('enter the code')
  })
})
