import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import type { FastifyRequest } from 'fastify'
import { SignJWT, type JWTPayload } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentAssertionType, clusterTokenType } from '@sallyport/protocol'
import { createAuthenticator } from '../../src/identity/access-token.ts'
import { endSignIns } from '../../src/identity/directory/end-sign-ins.ts'
import { insertUser } from '../../src/identity/directory/users.ts'
import {
  insertServicePrincipal,
  type ServicePrincipal,
} from '../../src/identity/directory/service-principals.ts'
import { loadSigningKey, type SigningKey } from '../../src/identity/signing-key.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../hub-fixture.ts'

const now = 1_800_000_000_000
const seconds = now / 1000
const hub = 'https://hub.example'
const tenantId = '11111111-1111-4111-8111-111111111111'
const issuer = `${hub}/${tenantId}/v2.0`

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let key: SigningKey
let principal: ServicePrincipal
let claims: JWTPayload
beforeAll(async () => {
  directory = temporaryDirectory()
  store = await openStore({ directory: directory.path })
  key = await loadSigningKey(join(directory.path, 'keys', 'access-token.json'))
  principal = await insertServicePrincipal(store.db, {
    displayName: 'ci',
    administrator: false,
    now,
  })
  const { objectId: oid, appId: appid } = principal
  claims = {
    oid,
    appid,
    tid: tenantId,
    idtyp: 'app',
    rev: 0,
    iss: issuer,
    aud: hub,
    sub: oid,
    iat: seconds,
    exp: seconds + 60,
  }
})
afterAll(async () => {
  await store.close()
  directory.remove()
})

async function authenticate(authorization: string | undefined, at = now): Promise<unknown> {
  const check = createAuthenticator({
    store,
    keys: () => [key],
    issuers: [issuer, `${hub}/adfs`],
    audience: hub,
    tenantId,
    now: () => at,
  })
  return check({ headers: { authorization } } as unknown as FastifyRequest)
}

async function token(
  change: JWTPayload = {},
  header: Record<string, unknown> = {},
  by = key.privateKey,
) {
  return new SignJWT({ ...claims, ...change })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...header })
    .sign(by)
}

const failed = expect.objectContaining({ code: 'ERR_AUTH_FAILED' }) as unknown

describe('access tokens', () => {
  it('name the principal as it is in the store', async () => {
    await expect(authenticate(`Bearer ${await token()}`)).resolves.toEqual({
      objectId: principal.objectId,
      kind: 'app',
      tenantId,
      displayName: 'ci',
      appId: principal.appId,
      administrator: false,
      groups: [],
    })
    await expect(
      authenticate(`bearer ${await token({ iss: `${hub}/adfs` })}`),
    ).resolves.toBeDefined()
  })

  it('are demanded', async () => {
    await expect(authenticate(undefined)).rejects.toMatchObject({ code: 'ERR_AUTH_REQUIRED' })
  })

  it('expire to the second', async () => {
    const good = await token()
    await expect(authenticate(`Bearer ${good}`, now + 59_000)).resolves.toBeDefined()
    await expect(authenticate(`Bearer ${good}`, now + 60_000)).rejects.toMatchObject({
      code: 'ERR_AUTH_EXPIRED',
    })
  })

  it.each<[string, JWTPayload, Record<string, unknown>]>([
    ['without revision', { rev: undefined }, {}],
    ['of another audience', { aud: 'https://other' }, {}],
    ['of two audiences', { aud: [hub, 'https://other'] }, {}],
    ['with the audience as a list', { aud: [hub] }, {}],
    ['of another issuer', { iss: hub }, {}],
    ['of another tenant', { tid: '22222222-2222-4222-8222-222222222222' }, {}],
    ['of an unknown principal', { oid: '33333333-3333-4333-8333-333333333333' }, {}],
    ['of another application', { appid: '33333333-3333-4333-8333-333333333333' }, {}],
    ['without expiry', { exp: undefined as unknown as number }, {}],
    ['without issue time', { iat: undefined as unknown as number }, {}],
    ['with expiry as text', { exp: '9999999999' as unknown as number }, {}],
    ['not valid yet', { nbf: seconds + 600 }, {}],
    ['of type cluster token', {}, { typ: clusterTokenType }],
    ['of type agent assertion', {}, { typ: agentAssertionType }],
    ['of type JWT', {}, { typ: 'JWT' }],
    ['with a critical extension', {}, { crit: ['exp'], exp: 1 }],
  ])('are refused %s', async (_what, change, header) => {
    const made = await token(change, header).catch(() => 'not.made.atall')
    await expect(authenticate(`Bearer ${made}`)).rejects.toEqual(failed)
  })

  it('are refused when signed by another key, also one the header brings along', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = other.publicKey.export({ format: 'jwk' })
    await expect(authenticate(`Bearer ${await token({}, {}, other.privateKey)}`)).rejects.toEqual(
      failed,
    )
    await expect(
      authenticate(`Bearer ${await token({}, { jwk }, other.privateKey)}`),
    ).rejects.toEqual(failed)
  })

  it('are refused unsigned, with HMAC over our public key, truncated, or malformed', async () => {
    const good = await token()
    const [, body = ''] = good.split('.')
    const head = (alg: string): string =>
      Buffer.from(JSON.stringify({ alg, typ: 'at+jwt' })).toString('base64url')
    const secret = new TextEncoder().encode(key.publicKey.export({ type: 'spki', format: 'pem' }))
    const hmac = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .sign(secret)
    const bad = [
      `${head('none')}.${body}.`,
      hmac,
      `${head('ES256')}.${body}.`,
      good.slice(0, -1),
      'x',
      '',
      'a.b.c',
    ]
    for (const each of bad) await expect(authenticate(`Bearer ${each}`)).rejects.toEqual(failed)
    await expect(authenticate(`Basic ${good}`)).rejects.toEqual(failed)
  })

  it('name people too, until their sign-in is revoked or its grant is gone', async () => {
    const user = await store.transaction((trx) =>
      insertUser(trx, { userPrincipalName: 'anna@example.org', displayName: 'Anna', now }),
    )
    const row = { grant_id: null, uid: null, user_code: null, expires_at: null, consumed_at: null }
    const payload = JSON.stringify({ accountId: user.objectId })
    const addGrant = (id: string) =>
      store.db
        .insertInto('oidc')
        .values({ model: 'Grant', id, payload, ...row })
        .execute()
    await addGrant('grant-1')
    const person = { oid: user.objectId, idtyp: 'user', sid: 'grant-1' }
    const good = `Bearer ${await token(person)}`
    await expect(authenticate(good)).resolves.toMatchObject({
      objectId: user.objectId,
      kind: 'user',
    })
    for (const wrong of [{ idtyp: 'app' }, { idtyp: 'group' }, { oid: principal.objectId }]) {
      const bad = `Bearer ${await token({ ...person, ...wrong })}`
      await expect(authenticate(bad)).rejects.toEqual(failed)
    }
    const expired = { code: 'ERR_AUTH_EXPIRED' }
    const other = `Bearer ${await token({ ...person, sid: 'grant-2' })}`
    await expect(authenticate(other)).rejects.toMatchObject(expired)
    await store.transaction((trx) => endSignIns(trx, user.objectId, { reason: 'test', now }))
    await expect(authenticate(good)).rejects.toMatchObject(expired)
    await addGrant('grant-2')
    await expect(authenticate(other)).rejects.toMatchObject(expired)
    const later = `Bearer ${await token({ ...person, sid: 'grant-2', rev: 1 })}`
    await expect(authenticate(later)).resolves.toBeDefined()
    const loose = `Bearer ${await token({ ...person, sid: undefined, rev: 1 })}`
    await expect(authenticate(loose)).rejects.toEqual(failed)
  })

  it('end with the principal', async () => {
    const good = `Bearer ${await token()}`
    await store.db.updateTable('service_principals').set({ enabled: 0 }).execute()
    await expect(authenticate(good)).rejects.toEqual(failed)
    await store.db.updateTable('service_principals').set({ enabled: 1 }).execute()
    await expect(authenticate(good)).resolves.toBeDefined()
    await store.db.deleteFrom('service_principals').execute()
    await expect(authenticate(good)).rejects.toEqual(failed)
  })
})
