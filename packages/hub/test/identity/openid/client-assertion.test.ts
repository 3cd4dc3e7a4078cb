import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { limits, SallyportError } from '@sallyport/protocol'
import { insertCertificate, readCertificate } from '../../../src/identity/directory/certificates.ts'
import { insertFederatedCredential } from '../../../src/identity/directory/federated-credentials.ts'
import { insertServicePrincipal } from '../../../src/identity/directory/service-principals.ts'
import type { RemoteKeys } from '../../../src/identity/issuers/remote-keys.ts'
import { checkClientAssertion } from '../../../src/identity/openid/client-assertion.ts'
import { sweepOpenId } from '../../../src/identity/openid/sign-ins.ts'
import { openStore, type Store } from '../../../src/store/store.ts'
import { temporaryDirectory } from '../../hub-fixture.ts'
import { selfSigned } from '../../sign-in/support/self-signed.ts'

const now = Date.now()
const seconds = Math.floor(now / 1000)
const endpoint = 'https://hub.example/tenant/oauth2/v2.0/token'
const issuer = 'https://ci.example'
const federated = { issuer, subject: 'repo:a/b:ref:refs/heads/main', audience: 'api://exchange' }

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let appId: string
let otherAppId: string
let own: Awaited<ReturnType<typeof selfSigned>>
let foreign: Awaited<ReturnType<typeof selfSigned>>
let outside: Awaited<ReturnType<typeof generateKeyPair>>
let asked: string[] = []
let remoteKeys: RemoteKeys

beforeAll(async () => {
  directory = temporaryDirectory()
  store = await openStore({ directory: directory.path })
  own = await selfSigned()
  foreign = await selfSigned()
  outside = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(outside.publicKey)), kid: 'k', alg: 'RS256' }
  const keys = createLocalJWKSet({ keys: [jwk] })
  remoteKeys = {
    keysOf: (of) => {
      asked.push(of)
      if (of === 'https://down.example') throw new SallyportError('ERR_ISSUER_UNREACHABLE', 'down')
      return keys
    },
    check: () => Promise.resolve(1),
  }
  await store.transaction(async (trx) => {
    const make = (displayName: string) =>
      insertServicePrincipal(trx, { displayName, administrator: false, now })
    const [app, other] = [await make('ci'), await make('other')]
    appId = app.appId
    otherAppId = other.appId
    const read = readCertificate(own.pem, now)
    await insertCertificate(trx, app.objectId, { read, displayName: null, now })
    await insertFederatedCredential(trx, app.objectId, { name: 'ci', ...federated, now })
    const down = { ...federated, issuer: 'https://down.example' }
    await insertFederatedCredential(trx, app.objectId, { name: 'down', ...down, now })
  })
})
afterAll(async () => {
  await store.close()
  directory.remove()
})

const check = (assertion: string, clientId: string | null = appId) => {
  asked = []
  const parts = { store, remoteKeys, now: () => now }
  return checkClientAssertion(parts, { clientId, assertion, audiences: [endpoint] })
}

let used = 0
function claims(change: JWTPayload = {}): JWTPayload {
  used += 1
  const times = { iat: seconds, exp: seconds + 600 }
  return { iss: appId, sub: appId, aud: endpoint, jti: `j${used}`, ...times, ...change }
}

function signed(change: JWTPayload = {}, header: Record<string, unknown> = {}, by = own) {
  return new SignJWT(claims(change))
    .setProtectedHeader({ alg: 'RS256', ...header })
    .sign(createPrivateKey(by.key))
}

describe('an assertion of a certificate', () => {
  it('proves its client, by thumbprint or without, also when the form names none', async () => {
    const { raw } = new X509Certificate(own.pem)
    const thumbprint = (name: string) => createHash(name).update(raw).digest('base64url')
    expect(await check(await signed())).toBe(appId)
    expect(await check(await signed({}, { alg: 'PS256' }))).toBe(appId)
    expect(await check(await signed({}, { 'x5t#S256': thumbprint('sha256') }))).toBe(appId)
    expect(await check(await signed({}, { x5t: thumbprint('sha1') }), null)).toBe(appId)
    expect(await check(await signed({}, { x5t: thumbprint('md5') }))).toBeUndefined()
  })

  it('is good once, also for two at once', async () => {
    const assertion = await signed()
    const answers = await Promise.all([check(assertion), check(assertion)])
    expect(answers.filter((each) => each !== undefined)).toHaveLength(1)
    expect(await check(assertion)).toBeUndefined()
    // Remembered for as long as it could be shown again, and no longer.
    expect(await sweepOpenId(store.db, now)).toBe(0)
    const after = (seconds + 600) * 1000 + limits.clientAssertionSkewMs
    expect(await sweepOpenId(store.db, after)).toBeGreaterThan(0)
  })

  it.each<[string, JWTPayload]>([
    ['another audience', { aud: 'https://hub.example' }],
    ['a list of audiences', { aud: [endpoint] }],
    ['a time over', { exp: seconds - 31 }],
    ['a time too far', { exp: seconds + 3600 + 31 }],
    ['no end', { exp: undefined as unknown as number }],
    ['a beginning in the future', { nbf: seconds + 60 }],
    ['no id', { jti: undefined as unknown as string }],
    ['another subject', { sub: 'somebody' }],
  ])('X063 X065 proves nothing with %s', async (_name, change) => {
    expect(await check(await signed(change))).toBeUndefined()
  })

  it('X059 X061 T-JWT-1 T-JWT-2 proves nothing by another key, in the header or not, or without one', async () => {
    expect(await check(await signed({}, {}, foreign))).toBeUndefined()
    const certificate = new X509Certificate(foreign.pem)
    const jwk = await exportJWK(certificate.publicKey)
    const x5c = [certificate.raw.toString('base64')]
    expect(await check(await signed({}, { jwk, x5c }, foreign))).toBeUndefined()
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    for (const alg of ['none', 'None', 'nOnE']) {
      expect(await check(`${encode({ alg })}.${encode(claims())}.`)).toBeUndefined()
    }
    const secret = Buffer.from(
      new X509Certificate(own.pem).publicKey.export({ type: 'spki', format: 'pem' }),
    )
    const symmetric = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(secret)
    expect(await check(symmetric)).toBeUndefined()
    for (const text of ['', 'a.b.c', 'x'.repeat(limits.clientAssertionBytes + 1)]) {
      expect(await check(text)).toBeUndefined()
    }
    expect(asked).toEqual([])
  })

  it('proves no other client', async () => {
    expect(await check(await signed(), otherAppId)).toBeUndefined()
    const change = { iss: otherAppId, sub: otherAppId }
    expect(await check(await signed(change), otherAppId)).toBeUndefined()
  })
})

describe('a token of an outside workload', () => {
  const token = (change: JWTPayload = {}) => {
    const { issuer: iss, subject: sub, audience: aud } = federated
    return new SignJWT({ iss, sub, aud, iat: seconds, exp: seconds + 600, ...change })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .sign(outside.privateKey)
  }

  it('proves the client whose federated credential names it, again and again', async () => {
    expect(await check(await token())).toBe(appId)
    expect(await check(await token({ aud: [federated.audience] }))).toBe(appId)
    expect(asked).toEqual([issuer])
  })

  it.each<[string, JWTPayload]>([
    ['another issuer', { iss: 'https://evil.example' }],
    ['an issuer with a slash', { iss: `${issuer}/` }],
    ['another subject', { sub: 'repo:a/b:ref:refs/heads/evil' }],
    ['another audience', { aud: 'api://other' }],
    ['two audiences', { aud: [federated.audience, 'api://other'] }],
  ])('X066 X067 T-JWT-3 proves nothing with %s, and nothing is fetched', async (_name, change) => {
    expect(await check(await token(change))).toBeUndefined()
    expect(asked).toEqual([])
  })

  it('proves nothing over its time, by another key, for another client or for none', async () => {
    expect(await check(await token({ exp: seconds - 31 }))).toBeUndefined()
    expect(await check(await token(), otherAppId)).toBeUndefined()
    expect(await check(await token(), null)).toBeUndefined()
    const { issuer: iss, subject: sub, audience: aud } = federated
    const forged = await new SignJWT({ iss, sub, aud, exp: seconds + 600 })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .sign(createPrivateKey(foreign.key))
    expect(await check(forged)).toBeUndefined()
  })

  it('says when its issuer cannot be reached', async () => {
    await expect(check(await token({ iss: 'https://down.example' }))).rejects.toMatchObject({
      code: 'ERR_ISSUER_UNREACHABLE',
    })
  })
})
