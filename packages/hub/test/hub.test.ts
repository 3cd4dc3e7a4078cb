import { ClientSecretCredential } from '@azure/identity'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import {
  call,
  hubHome,
  postForm,
  rawConnection,
  runToEnd,
  startProgram,
  temporaryDirectory,
  type AdministratorFile,
  type Answer,
  type HubHome,
  type RunningProgram,
} from './hub-fixture.ts'

let home: HubHome

describe('a running hub', () => {
  let hub: RunningProgram
  let ca: string
  let owner: AdministratorFile
  let tokenUrl: string
  const ask = (form: Record<string, string>, url = tokenUrl): Promise<Answer> =>
    postForm(url, ca, {
      grant_type: 'client_credentials',
      client_id: owner.clientId,
      client_secret: owner.clientSecret,
      scope: `${hub.url}/.default`,
      ...form,
    })
  const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    call(hub.url + path, { ca, headers })
  beforeAll(async () => {
    home = hubHome()
    hub = await startProgram('hub', home.flags('--log-level', 'debug'))
    ca = home.ca()
    owner = home.administrator()
    tokenUrl = `${hub.url}/${owner.tenantId}/oauth2/v2.0/token`
  })
  afterAll(async () => {
    await expect(hub.stop()).resolves.toBe(0)
    home.remove()
  })

  describe('health', () => {
    it('is alive and ready', async () => {
      expect((await get('/healthz')).json()).toEqual({ status: 'ok' })
      expect((await get('/readyz')).json()).toEqual({ status: 'ready' })
    })

    it('shows metrics without names or ids', async () => {
      await ask({})
      await get(`/subscriptions/${owner.subscriptionId}?api-version=2022-12-01`)
      const { text } = await get('/metrics')
      expect(text).toContain('process_resident_memory_bytes')
      expect(text).toMatch(/sallyport_token_requests_total\{result="issued"\} [1-9]/)
      expect(text).toMatch(
        /sallyport_http_request_duration_seconds_count\{.*route="\/healthz".*\} 1/,
      )
      expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/)
    })
  })

  describe('sign-in', () => {
    it('issues an ES256 at+jwt for the audience of the hub', async () => {
      const answer = await ask({
        client_info: '1',
        claims: '{"access_token":{}}',
        'x-client-SKU': 'x',
      })
      expect(answer.status).toBe(200)
      expect(answer.headers['cache-control']).toBe('no-store')
      const body = answer.json()
      expect(body).toMatchObject({
        token_type: 'Bearer',
        expires_in: limits.accessTokenTtlMs / 1000,
        scope: `${hub.url}/.default`,
      })
      const token = body['access_token'] as string
      expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
      expect(decodeJwt(token)).toMatchObject({
        iss: `${hub.url}/${owner.tenantId}/v2.0`,
        aud: hub.url,
        sub: owner.objectId,
        oid: owner.objectId,
        tid: owner.tenantId,
        appid: owner.clientId,
        azp: owner.clientId,
        idtyp: 'app',
        ver: '2.0',
      })
      const api = await get('/subscriptions?api-version=2022-12-01', {
        authorization: `Bearer ${token}`,
      })
      expect(api.status).toBe(200)
      expect(api.json()).toMatchObject({ value: [{ subscriptionId: owner.subscriptionId }] })
    })

    it.each(['common', 'organizations', 'adfs'])('answers under /%s too', async (tenant) => {
      const path = tenant === 'adfs' ? '/adfs/oauth2/token' : `/${tenant}/oauth2/v2.0/token`
      const answer = await ask({}, hub.url + path)
      expect(answer.status).toBe(200)
      const authorization = `Bearer ${String(answer.json()['access_token'])}`
      expect((await get('/subscriptions?api-version=2022-12-01', { authorization })).status).toBe(
        200,
      )
    })

    it('takes Basic credentials and ARM audiences, and ignores case and double slashes of paths', async () => {
      const basic = Buffer.from(`${owner.clientId}:${owner.clientSecret}`).toString('base64')
      const answer = await call(`${hub.url}//${owner.tenantId.toUpperCase()}/OAuth2/v2.0/token/`, {
        ca,
        method: 'POST',
        headers: {
          authorization: `Basic ${basic}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'grant_type=client_credentials&scope=https://management.azure.com//.default',
      })
      expect(answer.status).toBe(200)
      expect(decodeJwt(String(answer.json()['access_token'])).aud).toBe(hub.url)
    })

    it('is refused alike for a wrong secret, an unknown client and no secret', async () => {
      const wrong = await Promise.all([
        ask({ client_secret: `${owner.clientSecret}x` }),
        ask({ client_id: 'nobody' }),
        ask({ client_secret: '' }),
      ])
      const shown = wrong.map(({ status, text, headers }) => [status, text, Object.keys(headers)])
      expect(shown[0]?.[0]).toBe(401)
      expect(shown[1]).toEqual(shown[0])
      expect(shown[2]).toEqual(shown[0])
      expect(wrong[0]?.json()).toEqual({
        error: 'invalid_client',
        error_description: 'client authentication failed',
      })
    })

    it('takes as long for an unknown client as for a wrong secret', async () => {
      const time = async (form: Record<string, string>): Promise<number> => {
        const times: number[] = []
        for (let i = 0; i < 5; i += 1) {
          const start = performance.now()
          await ask(form)
          times.push(performance.now() - start)
        }
        return times.sort((a, b) => a - b)[2] ?? 0
      }
      const wrong = await time({ client_secret: 'wrong' })
      const unknown = await time({ client_id: 'nobody' })
      expect(Math.max(wrong, unknown) / Math.min(wrong, unknown)).toBeLessThan(3)
    })

    it('refuses other grants, scopes, tenants and bodies', async () => {
      expect((await ask({ grant_type: 'password' })).json()).toMatchObject({
        error: 'unsupported_grant_type',
      })
      expect((await ask({ scope: 'https://x/.default' })).json()).toMatchObject({
        error: 'invalid_scope',
      })
      expect((await ask({}, `${hub.url}/other/oauth2/v2.0/token`)).json()).toMatchObject({
        error: 'invalid_tenant',
      })
      const json = {
        ca,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      }
      expect((await call(tokenUrl, json)).status).toBe(400)
      expect((await ask({ client_secret: 'x'.repeat(limits.tokenRequestBodyBytes) })).status).toBe(
        413,
      )
    })

    it('works with the unmodified @azure/identity', async () => {
      const credential = new ClientSecretCredential(
        owner.tenantId,
        owner.clientId,
        owner.clientSecret,
        { authorityHost: hub.url, disableInstanceDiscovery: true, tlsOptions: { ca } },
      )
      const token = await credential.getToken(`${hub.url}/.default`)
      const api = await get('/subscriptions?api-version=2022-12-01', {
        authorization: `Bearer ${token.token}`,
      })
      expect(api.status).toBe(200)
      expect(token.expiresOnTimestamp).toBeGreaterThan(Date.now())
      const wrong = new ClientSecretCredential(owner.tenantId, owner.clientId, 'wrong', {
        authorityHost: hub.url,
        disableInstanceDiscovery: true,
        tlsOptions: { ca },
      })
      await expect(wrong.getToken(`${hub.url}/.default`)).rejects.toThrow(/invalid_client/)
    })
  })

  describe('discovery', () => {
    it('names addresses by the public URL, whatever Host says, and only what is served', async () => {
      const path = `/${owner.tenantId}/v2.0/.well-known/openid-configuration`
      const { socket, closed } = await rawConnection(hub.url, ca)
      socket.write(
        `GET ${path} HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: evil.example\r\nx-forwarded-proto: http\r\nconnection: close\r\n\r\n`,
      )
      const document = JSON.parse((await closed).split('\r\n\r\n')[1] ?? '') as Record<
        string,
        unknown
      >
      expect(document).toMatchObject({
        issuer: `${hub.url}/${owner.tenantId}/v2.0`,
        token_endpoint: tokenUrl,
        jwks_uri: `${hub.url}/${owner.tenantId}/discovery/v2.0/keys`,
        grant_types_supported: [
          'authorization_code',
          'refresh_token',
          'client_credentials',
          'urn:ietf:params:oauth:grant-type:device_code',
        ],
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: [
          'client_secret_basic',
          'client_secret_post',
          'none',
          'private_key_jwt',
        ],
        device_authorization_endpoint: `${hub.url}/${owner.tenantId}/oauth2/v2.0/devicecode`,
        revocation_endpoint: `${hub.url}/${owner.tenantId}/oauth2/v2.0/revoke`,
        end_session_endpoint: `${hub.url}/${owner.tenantId}/oauth2/v2.0/logout`,
      })
      expect(document).not.toHaveProperty('registration_endpoint')
      expect(JSON.stringify(document)).not.toContain('evil')
      const keys = (await call(document['jwks_uri'] as string, { ca })).json()
      expect(keys).toMatchObject({ keys: [{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }] })
      expect(JSON.stringify(keys)).not.toContain('"d"')
    })

    it('has an issuer of its own under /adfs', async () => {
      const document = (await get('/adfs/.well-known/openid-configuration')).json()
      expect(document).toMatchObject({
        issuer: `${hub.url}/adfs`,
        token_endpoint: `${hub.url}/adfs/oauth2/token`,
      })
      expect((await call(document['jwks_uri'] as string, { ca })).status).toBe(200)
    })

    it('describes the cloud in both shapes', async () => {
      const list = JSON.parse(
        (await get('/metadata/endpoints?api-version=2019-05-01')).text,
      ) as unknown
      expect(list).toMatchObject([
        { resourceManager: hub.url, authentication: { loginEndpoint: `${hub.url}/adfs` } },
      ])
      expect((await get('/metadata/endpoints?api-version=2022-09-01')).json()).toMatchObject({
        name: 'Sallyport',
        resourceManager: hub.url,
        authentication: { loginEndpoint: hub.url, audiences: [hub.url], tenant: owner.tenantId },
      })
    })
  })

  it('logs requests by route with ids, and never a query, header or secret', async () => {
    const answer = await get('/subscriptions?api-version=2022-12-01&sb-hc-token=geheim-query', {
      authorization: 'Bearer geheim-header',
      servicebusauthorization: 'geheim-relay',
      'x-ms-client-request-id': 'my-request-1',
    })
    const id = String(answer.headers['x-ms-request-id'])
    await hub.stderr.waitFor(new RegExp(`${id}.*http\\.request.*\\n`))
    const lines = hub.stderr.text().trim().split('\n')
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(
      parsed.find((line) => line['reqId'] === id && line['event'] === 'http.request'),
    ).toMatchObject({
      method: 'GET',
      route: '/subscriptions',
      status: 401,
      clientRequestId: 'my-request-1',
    })
    const text = hub.stderr.text()
    expect(text).not.toContain('geheim')
    expect(text).not.toContain(owner.clientSecret)
  })

  it('refuses a second hub on its data directory and on its port', async () => {
    const second = await runToEnd('hub', home.flags())
    expect(second.code).toBe(8)
    expect(second.stderr).toContain('ERR_STORE_LOCKED')
    const other = temporaryDirectory()
    const taken = await runToEnd('hub', [
      '--data-directory',
      other.path,
      '--listen',
      new URL(hub.url).host,
    ])
    expect(taken.code).toBe(8)
    expect(taken.stderr).toMatch(/already in use; .*--listen.*\[ERR_PORT_IN_USE\]\n$/)
    expect(taken.stdout).toBe('')
    other.remove()
  })

  it('limits token requests of one client, and says when to come back', async () => {
    const statuses = new Set<number>()
    let limited: Answer | undefined
    for (let i = 0; i < limits.tokenRequestsPerMinutePerAddress + 5; i += 1) {
      const answer = await ask({ client_secret: '' })
      statuses.add(answer.status)
      if (answer.status === 429) limited = answer
    }
    expect([...statuses].sort()).toEqual([401, 429])
    expect(Number(limited?.headers['retry-after'])).toBeGreaterThan(0)
  })
})
