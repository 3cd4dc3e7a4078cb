/**
 * Referees, unmodified: `@azure/identity`, `@azure/msal-node`, `openid-client`.
 * @module
 */
import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { decodeJwt } from 'jose'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cliClientId } from '@sallyport/protocol'
import { insertCertificate, readCertificate } from '../../src/identity/directory/certificates.ts'
import { insertServicePrincipal } from '../../src/identity/directory/service-principals.ts'
import { createOutsideFetch } from '../../src/identity/issuers/outside-fetch.ts'
import { azureCliClientId } from '../../src/identity/openid/clients.ts'
import { call, postForm } from '../hub-fixture.ts'
import { codeClient, redirectUri } from './support/code-client.ts'
import { selfSigned } from './support/self-signed.ts'
import { password, startSignInHub, type SignInHub } from './support/sign-in-hub.ts'

let world: SignInHub
let client: ReturnType<typeof codeClient>
let appId: string
let certificate: string

beforeAll(async () => {
  const made = await selfSigned()
  certificate = made.pem + made.key
  world = await startSignInHub(async (trx) => {
    const now = Date.now()
    const app = await insertServicePrincipal(trx, { displayName: 'ci', administrator: false, now })
    appId = app.appId
    const read = readCertificate(made.pem, now)
    await insertCertificate(trx, app.objectId, { read, displayName: null, now })
  })
  client = codeClient(world)
})
afterAll(() => world[Symbol.asyncDispose]())

type Said = Record<string, string>

/** Runs one way of signing in; `heard` gets each thing it says. */
async function run(
  way: string,
  details: { id: string; proof?: string; heard?: (said: Said) => Promise<void> },
): Promise<Said> {
  const script = join(import.meta.dirname, 'support', 'sdk-client-main.ts')
  const child = spawn(process.execPath, [script, way, world.hub.url, world.tenantId, details.id], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: join(world.home.data, 'ca.crt'),
      CLIENT_PROOF: details.proof,
    },
  })
  let problem = ''
  child.stderr.on('data', (chunk: Buffer) => (problem += chunk.toString()))
  let last: Said = {}
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line) as Said
    await details.heard?.(last)
  }
  if (last['token'] === undefined) throw new Error(problem)
  return last
}

describe('@azure/identity', () => {
  it('signs in with a certificate', { timeout: 60_000 }, async () => {
    const { token = '' } = await run('certificate', { id: appId, proof: certificate })
    expect(decodeJwt(token)).toMatchObject({ appid: appId, idtyp: 'app' })
    expect((await client.use(token)).status).not.toBe(401)
  })

  it('signs in a person by device code', { timeout: 60_000 }, async () => {
    const { token = '' } = await run('device', {
      id: azureCliClientId,
      heard: async ({ userCode = '', verificationUri = '' }) => {
        if (userCode === '') return
        const browser = client.browse()
        await browser.open(verificationUri)
        await browser.submit({ user_code: userCode })
        expect(browser.at.answer.text).toContain('127.0.0.1')
        await browser.submit({ confirm: 'yes' })
        const { answer } = await browser.submit({ username: 'ada@example.com', password })
        expect(answer.text).toContain('Signed in')
      },
    })
    expect(decodeJwt(token)).toMatchObject({ oid: world.ada.objectId, appid: azureCliClientId })
  })
})

/** Clicks the button that takes the answer to the program (`response_mode=form_post`). */
async function postBack(page: string): Promise<void> {
  const action = /<form method="post" action="([^"]+)"/.exec(page)?.[1] ?? ''
  const form = new URLSearchParams()
  for (const [, name = '', value = ''] of page.matchAll(/name="([^"]+)" value="([^"]*)"/g)) {
    form.set(name, value.replaceAll('&amp;', '&'))
  }
  await new Promise<void>((resolve, reject) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    request(action, { method: 'POST', headers }, (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end(form.toString())
  })
}

describe('@azure/msal-node', () => {
  it('signs in a person in the browser and refreshes', { timeout: 60_000 }, async () => {
    const said = await run('msal', {
      id: azureCliClientId,
      heard: async ({ open }) => {
        if (open === undefined) return
        const browser = client.browse()
        await browser.open(open)
        const { answer } = await browser.submit({ username: 'ada@example.com', password })
        await postBack(answer.text)
      },
    })
    expect(said).toMatchObject({
      username: 'ada@example.com',
      homeAccountId: `${world.ada.objectId}.${world.tenantId}`,
      isAnother: true,
    })
    expect(decodeJwt(said['token'] ?? '')).toMatchObject({ oid: world.ada.objectId })
  })
})

describe('openid-client', () => {
  it('discovers, signs in with PKCE, refreshes and revokes', async () => {
    const outside = createOutsideFetch({ authorities: [client.ca] })
    const server = new URL(`${world.hub.url}/${world.tenantId}/v2.0`)
    const config = await oidc.discovery(server, cliClientId, undefined, oidc.None(), {
      [oidc.customFetch]: (url: string, options) => outside(url, options),
    })
    config[oidc.customFetch] = (url: string, options) => outside(url, options)
    const verifier = oidc.randomPKCECodeVerifier()
    const address = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: 'openid profile offline_access',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: 's',
      nonce: 'n',
    })
    const browser = client.browse()
    await browser.open(address.href)
    const { url } = await browser.submit({ username: 'ada@example.com', password })
    const checks = { pkceCodeVerifier: verifier, expectedState: 's', expectedNonce: 'n' }
    const wrong = oidc.authorizationCodeGrant(config, new URL(url), {
      ...checks,
      expectedState: 'another',
    })
    await expect(wrong).rejects.toThrow()
    const tokens = await oidc.authorizationCodeGrant(config, new URL(url), checks)
    expect(tokens.claims()).toMatchObject({ oid: world.ada.objectId, nonce: 'n' })
    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')
    await oidc.tokenRevocation(config, refreshed.refresh_token ?? '')
    await expect(
      oidc.refreshTokenGrant(config, refreshed.refresh_token ?? ''),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
    expect((await client.use(refreshed.access_token)).status).toBe(401)
  })
})

describe('key rotation', () => {
  it('keeps tokens of the old key valid, signs with the new one, and shows both', async () => {
    const before = await client.signedIn()
    const { clientId, clientSecret } = world.home.administrator()
    const tokenOf = async (): Promise<string> => {
      const form = {
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      }
      return String((await postForm(world.oauth('token'), client.ca, form)).json()['access_token'])
    }
    const rotated = await call(`${world.hub.url}/sallyport/v1/signingKeys/rotate`, {
      ca: client.ca,
      method: 'POST',
      headers: {
        authorization: `Bearer ${await tokenOf()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ use: 'access-token' }),
    })
    expect(rotated.status).toBe(200)
    const keys = await call(`${world.hub.url}/${world.tenantId}/discovery/v2.0/keys`, {
      ca: client.ca,
    })
    expect((keys.json() as { keys: unknown[] }).keys).toHaveLength(2)
    expect((await client.use(before.access_token)).status).not.toBe(401)
    const after = (await client.refresh(before.refresh_token)).json()
    expect((await client.use(String(after['access_token']))).status).not.toBe(401)
    const header = JSON.parse(
      Buffer.from(String(after['access_token']).split('.')[0] ?? '', 'base64url').toString(),
    ) as { kid: string }
    expect(header.kid).toBe(rotated.json()['kid'])
  })
})
