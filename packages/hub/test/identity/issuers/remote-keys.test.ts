import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, jwtVerify, SignJWT, type CryptoKey, type JWK } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import { createOutsideFetch } from '../../../src/identity/issuers/outside-fetch.ts'
import { createRemoteKeys } from '../../../src/identity/issuers/remote-keys.ts'
import { makeCertificates } from '../../api/support/certificates.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let issuer: string
let fetchOutside: ReturnType<typeof createOutsideFetch>
let now = 1_800_000_000_000
let keyFetches = 0
let answerKeys: Answer
let answerDiscovery: Answer
let signer: { kid: string; privateKey: CryptoKey; jwk: JWK }

const json =
  (body: unknown): Answer =>
  (_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body))
  }

beforeAll(async () => {
  using directory = temporaryDirectory()
  const certificates = await makeCertificates(directory.path)
  server = createServer({ key: certificates.key, cert: certificates.certificate })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/keys') keyFetches += 1
    ;(request.url === '/keys' ? answerKeys : answerDiscovery)(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `https://localhost:${(server.address() as AddressInfo).port}`
  fetchOutside = createOutsideFetch({ authorities: [certificates.ca] })
  signer = await makeKey('k1')
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  keyFetches = 0
  answerDiscovery = json({ issuer, jwks_uri: `${issuer}/keys` })
  answerKeys = json({ keys: [signer.jwk] })
})

async function makeKey(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'ES256' }
  return { kid, privateKey, jwk }
}

const token = (by = signer, kid = by.kid) =>
  new SignJWT({ sub: 'somebody' }).setProtectedHeader({ alg: 'ES256', kid }).sign(by.privateKey)

const keys = () => createRemoteKeys({ fetch: fetchOutside, now: () => now })

it('finds keys by discovery and fetches them once', async () => {
  const { keysOf } = keys()
  await jwtVerify(await token(), keysOf(issuer))
  await jwtVerify(await token(), keysOf(issuer))
  expect(keyFetches).toBe(1)
})

it('X079 answers a storm of unknown key ids with one fetch in 30 s, and takes the new key after it', async () => {
  const { keysOf } = keys()
  await jwtVerify(await token(), keysOf(issuer))
  const next = await makeKey('k2')
  answerKeys = json({ keys: [signer.jwk, next.jwk] })
  const foreign = await token(next)
  for (let round = 0; round < 100; round += 1) {
    await expect(jwtVerify(foreign, keysOf(issuer))).rejects.toThrow()
  }
  expect(keyFetches).toBe(1)
  await jwtVerify(await token(), keysOf(issuer))
  now += limits.issuerFetchIntervalMs
  const all = Array.from({ length: 100 }, () => jwtVerify(foreign, keysOf(issuer)))
  await expect(Promise.all(all)).resolves.toHaveLength(100)
  expect(keyFetches).toBe(2)
})

it('X080 uses kept keys while the issuer is down, for a day', async () => {
  const { keysOf } = keys()
  await jwtVerify(await token(), keysOf(issuer))
  answerDiscovery = (_request, response) => response.writeHead(503).end()
  now += limits.issuerKeysStaleMs
  await jwtVerify(await token(), keysOf(issuer))
  now += 1
  await expect(jwtVerify(await token(), keysOf(issuer))).rejects.toMatchObject({
    code: 'ERR_ISSUER_UNREACHABLE',
    why: 'HTTP status 503',
  })
})

it.each<[string, Answer, string]>([
  [
    'too long',
    (_request, response) => {
      pump(response)
    },
    'longer than 65536 bytes',
  ],
  [
    'announced too long',
    (_request, response) => {
      response.setHeader('content-length', 400 * 1024 * 1024)
      response.write('{')
    },
    'longer than 65536 bytes',
  ],
  [
    'redirecting',
    (_request, response) => response.writeHead(302, { location: `${issuer}/keys` }).end(),
    'it redirects',
  ],
  [
    'compressed',
    (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    'compressed',
  ],
])('X078 refuses keys that are %s', async (_name, answer, why) => {
  answerKeys = answer
  await expect(keys().check(issuer)).rejects.toMatchObject({
    code: 'ERR_ISSUER_UNREACHABLE',
    why: expect.stringContaining(why) as string,
  })
})

it('X078 refuses HTML, and stops to wait after 3 s although single bytes come', async () => {
  answerKeys = (_request, response) => response.end('<html>')
  await expect(keys().check(issuer)).rejects.toMatchObject({ code: 'ERR_ISSUER_UNREACHABLE' })
  answerKeys = (_request, response) => {
    const timer = setInterval(() => response.write(' '), 100)
    response.on('close', () => {
      clearInterval(timer)
    })
  }
  const begun = performance.now()
  await expect(keys().check(issuer)).rejects.toMatchObject({ why: 'no whole answer within 3 s' })
  expect(performance.now() - begun).toBeLessThan(limits.issuerFetchTimeoutMs + 1000)
})

it('T-JWT-8 refuses http, another issuer in the document, keys at another host, and metadata services', async () => {
  const check = (address: string) => keys().check(address)
  await expect(check(issuer.replace('https', 'http'))).rejects.toMatchObject({
    why: 'its address does not begin with https://',
  })
  answerDiscovery = json({ issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` })
  await expect(check(issuer)).rejects.toMatchObject({
    why: 'its discovery document names another issuer',
  })
  answerDiscovery = json({ issuer, jwks_uri: 'https://127.0.0.1/keys' })
  await expect(check(issuer)).rejects.toMatchObject({ why: 'its keys are at another host' })
  for (const host of ['169.254.169.254', '[fd00:ec2::254]', '[::ffff:169.254.169.254]']) {
    await expect(check(`https://${host}`)).rejects.toMatchObject({
      why: 'its address is one of a metadata service',
    })
  }
})

it('X081 takes no symmetric, private, weak, or doubly named key', async () => {
  const weak = await exportJWK(
    (await generateKeyPair('RS256', { modulusLength: 2048, extractable: true })).publicKey,
  )
  const half = Buffer.from(weak.n ?? '', 'base64url')
    .subarray(0, 128)
    .toString('base64url')
  const bad = [
    { kty: 'oct', k: 'AAAA', kid: 'a' },
    { ...(await exportJWK(signer.privateKey)), kid: 'b' },
    { ...weak, n: half, kid: 'c' },
    { ...signer.jwk, crv: 'P-192', kid: 'd' },
    { ...signer.jwk, kid: 'twice' },
    { ...signer.jwk, kid: 'twice' },
  ]
  answerKeys = json({ keys: [...bad, signer.jwk] })
  expect(await keys().check(issuer)).toBe(1)
  answerKeys = json({ keys: bad })
  await expect(keys().check(issuer)).rejects.toMatchObject({
    why: 'it publishes no key that can be used',
  })
})

it.each(['x'.repeat(129), "' OR 1", '../../dev/null\n'])(
  'X061 refuses the key id %s',
  async (kid) => {
    await expect(jwtVerify(await token(signer, kid), keys().keysOf(issuer))).rejects.toThrow(
      'kid is not a key id',
    )
  },
)

function pump(response: ServerResponse): void {
  const more = (): void => {
    while (!response.destroyed && response.write('x'.repeat(16_384)));
  }
  response.on('drain', more)
  more()
}
