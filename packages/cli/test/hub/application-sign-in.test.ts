/**
 * Applications sign in: secret, certificate, token of another issuer, GitHub Actions; and several accounts at several hubs.
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { SignJWT, decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readFederatedToken } from '../../src/hub/federated-token.ts'
import { createLocalCertificates } from '../../src/proxy/certificates.ts'
import { readClientCertificate } from '../../src/hub/client-certificate.ts'
import { cli, temporaryDirectory } from '../run-cli.ts'
import { applications, startProviderHub, type ProviderHub } from './provider-hub.ts'
import { createBrowser } from './test-browser.ts'

let hub: ProviderHub
let other: ProviderHub

beforeAll(async () => {
  ;[hub, other] = await Promise.all([startProviderHub(), startProviderHub()])
})
afterEach(() => {
  hub.instead = undefined
})
afterAll(() => Promise.all([hub.stop(), other.stop()]))

const { clientId } = applications.certificate
const login = (home: string, words: string[], at = hub) =>
  cli(['login', '--service-principal', '--hub', at.url, '--ca-file', at.caFile, ...words], { home })
const credentials = (home: string) =>
  readFileSync(join(home, '.config', 'sallyport', 'credentials.json'), 'utf8')

function expire(home: string): void {
  const path = join(home, '.config', 'sallyport', 'credentials.json')
  writeFileSync(path, credentials(home).replaceAll(/"expiresAt": \d+/g, '"expiresAt": 1'))
}

describe('certificate', () => {
  it('proves the application, again at each renewal; its key is not copied', async () => {
    const home = temporaryDirectory()
    const pem = join(home, 'app.pem')
    writeFileSync(pem, hub.certificatePem, { mode: 0o600 })
    const { code, stderr } = await login(home, ['-u', clientId, '--certificate', pem])
    expect(code, stderr).toBe(0)
    expect(credentials(home)).not.toContain('PRIVATE KEY')
    expire(home)
    expect((await cli(['group', 'list'], { home })).code).toBe(0)
    const { stdout } = await cli(['whoami', '-o', 'json'], { home })
    expect(JSON.parse(stdout)).toMatchObject({ type: 'servicePrincipal', clientId })
  })
  it('the assertion: x5t#S256, short life, one audience, another id each time', async () => {
    const home = temporaryDirectory()
    const pem = join(home, 'app.pem')
    writeFileSync(pem, hub.certificatePem)
    const assertions: string[] = []
    hub.instead = (request) => {
      if (request.url === '/token') {
        request.on('data', (chunk: Buffer) => {
          assertions.push(new URLSearchParams(chunk.toString()).get('client_assertion') ?? '')
        })
      }
      return false
    }
    await login(home, ['-u', clientId, '--certificate', pem])
    await login(home, ['-u', clientId, '--certificate', pem])
    const [first = '', second = ''] = assertions
    const claims = decodeJwt(first)
    expect(claims).toMatchObject({ iss: clientId, sub: clientId, aud: `${hub.url}/token` })
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBeLessThanOrEqual(120)
    expect(decodeJwt(second).jti).not.toBe(claims.jti)
    const { certificate } = readClientCertificate(pem)
    const sha256 = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex')
    expect(decodeProtectedHeader(first)).toMatchObject({
      alg: 'ES256',
      'x5t#S256': sha256.toString('base64url'),
    })
  })
  it('of another application: exit 4; unusable files: exit 2 and what is wrong', async () => {
    const home = temporaryDirectory()
    const pem = join(home, 'app.pem')
    const foreign = await createLocalCertificates()
    writeFileSync(pem, foreign.clientCertificate + foreign.clientKey)
    const refused = await login(home, ['-u', clientId, '--certificate', pem])
    expect(refused.code).toBe(4)
    expect(refused.stderr).not.toContain('PRIVATE')
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const otherKey = key.export({ type: 'pkcs8', format: 'pem' })
    for (const [content, why] of [
      ['nothing', 'no PEM certificate'],
      [foreign.clientCertificate, 'no PEM private key'],
      [foreign.clientCertificate + otherKey, 'not that of the certificate'],
    ] as const) {
      writeFileSync(pem, content)
      const { code, stderr } = await login(home, ['-u', clientId, '--certificate', pem])
      expect(code, stderr).toBe(2)
      expect(stderr).toContain(why)
    }
    writeFileSync(pem, hub.certificatePem)
    expect(() => readClientCertificate(pem, Date.now() + 400 * 24 * 3600 * 1000)).toThrow(
      expect.objectContaining({ why: expect.stringContaining('expired') as string }),
    )
  })
})

describe('token of another issuer', () => {
  /** What an issuer would sign, of the one key the provider knows for this application. */
  async function token(home: string): Promise<string> {
    const pem = join(home, 'issuer.pem')
    writeFileSync(pem, hub.certificatePem)
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(`${hub.url}/token`)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime('1 min')
      .sign(readClientCertificate(pem).key)
  }
  it('from a file: read anew at each renewal, as Kubernetes rotates it; never stored', async () => {
    const home = temporaryDirectory()
    const path = join(home, 'token')
    const first = await token(home)
    writeFileSync(path, `${first}\n`)
    const { code, stderr } = await login(home, ['-u', clientId, '--federated-token-file', path])
    expect(code, stderr).toBe(0)
    expect(credentials(home)).not.toContain(first)
    expire(home)
    // The first was used up: the provider takes an assertion once.
    const stale = await cli(['group', 'list'], { home })
    expect(stale.code).toBe(4)
    expect(stale.stderr).toContain('--federated-token-file FILE')
    writeFileSync(path, await token(home))
    expect((await cli(['group', 'list'], { home })).code).toBe(0)
  })
  it('given once: works until the token ends, then exit 4', async () => {
    const home = temporaryDirectory()
    const visible = await login(home, ['-u', clientId, '--federated-token', await token(home)])
    expect(visible.code, visible.stderr).toBe(0)
    expect(visible.stderr).toContain('warning')
    expect(visible.stderr).not.toContain('renewed by itself')
    expect((await cli(['group', 'list'], { home })).code).toBe(0)
    expire(home)
    expect((await cli(['group', 'list'], { home })).code).toBe(4)
  })
  it('of GitHub Actions: asked for at its address with its key, by https, with the audience', async () => {
    const { ca, serverCertificate, serverKey } = await createLocalCertificates()
    const seen: { url: string | undefined; authorization: string | undefined }[] = []
    const server = createServer(
      { key: serverKey, cert: serverCertificate },
      (request: IncomingMessage, response) => {
        seen.push({ url: request.url, authorization: request.headers.authorization })
        response.end(JSON.stringify({ value: 'token-of-the-job' }))
      },
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { signal } = new AbortController()
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `https://127.0.0.1:${port}/token?job=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'key-of-the-job',
    }
    const source = { kind: 'github', audience: 'api://AzureADTokenExchange' } as const
    expect(await readFederatedToken(source, { env, signal, ca })).toBe('token-of-the-job')
    expect(seen).toEqual([
      {
        url: '/token?job=1&audience=api%3A%2F%2FAzureADTokenExchange',
        authorization: 'Bearer key-of-the-job',
      },
    ])
    for (const wrong of [
      {},
      { ...env, ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/` },
    ]) {
      await expect(readFederatedToken(source, { env: wrong, signal, ca })).rejects.toMatchObject({
        code: 'ERR_USAGE',
        remedy: expect.stringContaining('id-token: write') as string,
      })
    }
    server.close()
    server.closeAllConnections()
  })
})

describe('several accounts', () => {
  const listed = async (home: string) => {
    const { stdout } = await cli(['account', 'list', '-o', 'json'], { home })
    return (
      JSON.parse(stdout) as { hub: string; isDefault: boolean; user: { name: string } }[]
    ).map((row) => [row.hub, row.user.name, row.isDefault])
  }
  async function loginAs(home: string, at: ProviderHub, username: string): Promise<void> {
    at.person = { accountId: `object-of-${username}`, username }
    const browser = createBrowser(at.ca)
    const { code, stderr } = await cli(['login', '--hub', at.url, '--ca-file', at.caFile], {
      home,
      openBrowser: async (start) => {
        await browser.visit(start)
      },
    })
    await browser.close()
    expect(code, stderr).toBe(0)
  }
  it('at two hubs: list, set by hub and by name, logout one, logout --all revokes at both', async () => {
    const home = temporaryDirectory()
    await loginAs(home, hub, 'alice@example.com')
    await loginAs(home, hub, 'bob@example.com')
    await loginAs(home, other, 'carol@example.com')
    expect(await listed(home)).toEqual([
      [hub.url, 'bob@example.com', false],
      [hub.url, 'alice@example.com', false],
      [other.url, 'carol@example.com', true],
    ])
    const who = async () =>
      (await cli(['whoami', '--query', 'name', '-o', 'tsv'], { home })).stdout.trim()
    expect(await who()).toBe('carol@example.com')
    expect((await cli(['account', 'set', '--hub', hub.url], { home })).code).toBe(0)
    expect(await who()).toBe('bob@example.com')
    expect((await cli(['account', 'set', '-n', 'ALICE@example.com'], { home })).code).toBe(0)
    expect(await who()).toBe('alice@example.com')
    expect((await cli(['group', 'list'], { home })).code).toBe(0)
    expect(decodeJwt(hub.bearers.at(-1) ?? '').sub).toBe('object-of-alice@example.com')
    expect((await cli(['account', 'set', '--subscription', 'shops'], { home })).code).toBe(0)
    expect((await cli(['account', 'set', '--subscription', 'none'], { home })).code).toBe(3)
    expect((await cli(['account', 'set', '-n', 'dave'], { home })).code).toBe(4)
    const before = hub.revoked + other.revoked
    expect((await cli(['logout', '-u', 'bob@example.com'], { home })).code).toBe(0)
    expect(await who()).toBe('alice@example.com')
    const { code, stderr } = await cli(['logout', '--all'], { home })
    expect(code, stderr).toBe(0)
    expect(await listed(home)).toEqual([])
    expect(hub.revoked + other.revoked - before).toBe(3)
    expect(credentials(home)).not.toContain('Token')
  })
  it('logout with the hub away: forgotten here, exit 6, and said', async () => {
    const home = temporaryDirectory()
    await loginAs(home, hub, 'alice@example.com')
    hub.instead = (request) =>
      request.url?.includes('revocation') === true && request.destroy() !== undefined
    const { code, stderr } = await cli(['logout'], { home })
    expect(code).toBe(6)
    expect(stderr).toContain('could not be told')
    expect(credentials(home)).not.toContain('Token')
    expect((await cli(['whoami'], { home })).code).toBe(4)
  })
})
