/**
 * Service principals and their credentials as Graph clients see them.
 * @module
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { checkSecret } from '../../../src/identity/directory/secrets.ts'
import { findCertificates } from '../../../src/identity/directory/certificates.ts'
import { findFederatedCredential } from '../../../src/identity/directory/federated-credentials.ts'
import { revocationsAfter } from '../../../src/registry/revocations.ts'
import { startApi, type Answer, type ApiFixture } from '../support/api-fixture.ts'

let api: ApiFixture
beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const password = 'correct horse battery'
const newUser = (name: string, more: object = {}) => ({
  userPrincipalName: `${name}@example.org`,
  displayName: name,
  mailNickname: name,
  accountEnabled: true,
  passwordProfile: { password, forceChangePasswordNextSignIn: false },
  ...more,
})

async function made(path: string, body: object): Promise<string> {
  const answer = await api.call('POST', path, { body })
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return String(answer.at('id'))
}
const get = (path: string): Promise<Answer> => api.call('GET', path)
const idsIn = (answer: Answer): unknown[] =>
  (answer.at('value') as { id: string }[]).map((object) => object.id)
const revoked = async (): Promise<string[]> =>
  ((await revocationsAfter(api.store.db, 0)) ?? []).map((each) => each.target)

describe('service principals', () => {
  test('are made as az ad sp create-for-rbac makes them, and the secret is shown once', async () => {
    const application = await api.call('POST', '/v1.0/applications', {
      body: { displayName: 'ci' },
    })
    const [id, appId] = [String(application.at('id')), String(application.at('appId'))]
    expect(await made('/v1.0/servicePrincipals', { appId, accountEnabled: true })).toBe(id)
    const named = `/v1.0/servicePrincipals(appId='${appId}')`
    const added = await api.call('POST', `${named}/addPassword`, {
      body: { passwordCredential: { displayName: 'rbac' } },
    })
    const secret = String(added.at('secretText'))
    const { db } = api.store
    const works = (): Promise<boolean> => checkSecret(db, appId, { secret, now: api.clock.now })
    expect(await works()).toBe(true)
    for (const path of [named, `/v1.0/applications/${id}`, '/v1.0/servicePrincipals']) {
      const text = JSON.stringify((await get(path)).body)
      expect(text).toContain(String(added.at('keyId')))
      expect(text).not.toContain(secret)
    }
    expect(api.log.join('')).not.toContain(secret)
    for (const filter of [`appId eq '${appId}'`, `servicePrincipalNames/any(c:c eq '${appId}')`]) {
      const list = await get(`/v1.0/servicePrincipals?$filter=${encodeURIComponent(filter)}`)
      expect(idsIn(list)).toEqual([id])
    }
    const body = { keyId: added.at('keyId') }
    const gone = await api.call('POST', `/v1.0/applications/${id}/removePassword`, { body })
    expect(gone.status).toBe(204)
    expect(await works()).toBe(false)
    expect(await revoked()).toEqual([id])
  })

  test('have a bounded number of secrets', async () => {
    const id = await made('/v1.0/applications', { displayName: 'ci' })
    const add = (): Promise<Answer> =>
      api.call('POST', `/v1.0/applications/${id}/addPassword`, { body: {} })
    for (let count = 0; count < limits.secretsPerServicePrincipal; count++) {
      expect((await add()).status).toBe(200)
    }
    expect((await add()).status).toBe(409)
  })

  test('sign in with certificates and outside tokens that were registered, until removed', async () => {
    const made = await api.call('POST', '/v1.0/applications', { body: { displayName: 'ci' } })
    const [id, appId] = [String(made.at('id')), String(made.at('appId'))]
    const { db } = api.store
    const now = api.clock.now
    const path = `/v1.0/servicePrincipals/${id}`
    const key = Buffer.from(api.ca).toString('base64')
    const keyCredential = { type: 'AsymmetricX509Cert', usage: 'Verify', key }
    const added = await api.call('POST', `${path}/addKey`, { body: { keyCredential } })
    expect(added.status, JSON.stringify(added.body)).toBe(200)
    expect(await findCertificates(db, appId, now)).toHaveLength(1)
    expect(await findCertificates(db, appId, now + 1e13)).toHaveLength(0)
    expect((await api.call('POST', `${path}/addKey`, { body: { keyCredential } })).status).toBe(409)
    const broken = { ...keyCredential, key: 'AAAA' }
    expect(
      (await api.call('POST', `${path}/addKey`, { body: { keyCredential: broken } })).status,
    ).toBe(400)
    const body = { keyId: added.at('keyId') }
    expect((await api.call('POST', `${path}/removeKey`, { body })).status).toBe(204)
    expect(await findCertificates(db, appId, now)).toEqual([])

    const federated = {
      name: 'github',
      issuer: 'https://token.actions.githubusercontent.com',
      subject: 'repo:a/b:ref:refs/heads/main',
      audiences: ['api://AzureADTokenExchange'],
    }
    const list = `${path}/federatedIdentityCredentials`
    expect((await api.call('POST', list, { body: federated })).status).toBe(201)
    expect((await api.call('POST', list, { body: federated })).status).toBe(409)
    expect(
      (await api.call('POST', list, { body: { ...federated, name: 'x', issuer: 'http://x' } }))
        .status,
    ).toBe(400)
    expect((await get(list)).at('value')).toMatchObject([federated])
    const find = (subject: string) =>
      findFederatedCredential(db, {
        appId,
        issuer: federated.issuer,
        subject,
        audience: 'api://AzureADTokenExchange',
      })
    expect(await find(federated.subject)).toMatchObject({ objectId: id })
    expect(await find(federated.subject.toUpperCase())).toBeUndefined()
    expect(await find('repo:a/b%')).toBeUndefined()
    expect((await api.call('DELETE', `${list}/github`)).status).toBe(204)
    expect(await find(federated.subject)).toBeUndefined()
    expect(await revoked()).toEqual([id, id])
  })

  test('leave neither secret nor password in the files of the store', async () => {
    const id = await made('/v1.0/applications', { displayName: 'ci' })
    await made('/v1.0/users', newUser('anna'))
    const added = await api.call('POST', `/v1.0/applications/${id}/addPassword`, { body: {} })
    const data = join(api.caFile, '..', 'data')
    const bytes = Buffer.concat(
      readdirSync(data, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(data, entry.name))),
    )
    expect(bytes.includes(String(added.at('keyId')))).toBe(true)
    expect(bytes.includes(String(added.at('secretText')))).toBe(false)
    expect(bytes.includes(password)).toBe(false)
  })
})
