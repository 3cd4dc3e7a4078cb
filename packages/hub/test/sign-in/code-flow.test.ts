import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cliClientId } from '@sallyport/protocol'
import { postForm } from '../hub-fixture.ts'
import { codeClient, redirectUri } from './support/code-client.ts'
import { password, startSignInHub, type SignInHub } from './support/sign-in-hub.ts'

let world: SignInHub
let client: ReturnType<typeof codeClient>
beforeAll(async () => {
  world = await startSignInHub()
  client = codeClient(world)
})
afterAll(() => world[Symbol.asyncDispose]())

describe('the code flow', () => {
  it('ends in tokens that name the person as Entra does', async () => {
    const { url, code, state } = await client.signedInCode()
    expect(url.startsWith(`${redirectUri}?`)).toBe(true)
    expect(state).toBe('state-1')
    const answer = await client.redeem(code)
    expect(answer.status).toBe(200)
    expect(answer.headers['cache-control']).toBe('no-store')
    const body = answer.json()
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, ext_expires_in: 3600 })
    expect(decodeJwt(String(body['access_token']))).toMatchObject({
      iss: `${world.hub.url}/${world.tenantId}/v2.0`,
      aud: world.hub.url,
      sub: world.ada.objectId,
      oid: world.ada.objectId,
      tid: world.tenantId,
      appid: cliClientId,
      azp: cliClientId,
      idtyp: 'user',
      ver: '2.0',
      upn: 'ada@example.com',
      preferred_username: 'ada@example.com',
      name: 'Ada Lovelace',
      rev: 0,
      sid: expect.any(String) as string,
    })
    expect(decodeJwt(String(body['id_token']))).toMatchObject({
      aud: cliClientId,
      nonce: 'nonce-1',
      oid: world.ada.objectId,
      tid: world.tenantId,
      preferred_username: 'ada@example.com',
      name: 'Ada Lovelace',
      sid: decodeJwt(String(body['access_token']))['sid'],
    })
    expect(JSON.parse(Buffer.from(String(body['client_info']), 'base64url').toString())).toEqual({
      uid: world.ada.objectId,
      utid: world.tenantId,
    })
    // Whatever she may do: she is somebody.
    expect((await client.use(String(body['access_token']))).status).not.toBe(401)
  })

  it('refreshes with rotation', async () => {
    const first = await client.signedIn()
    const second = (await client.refresh(first.refresh_token)).json()
    expect(second['refresh_token']).not.toBe(first.refresh_token)
    expect(decodeJwt(String(second['access_token']))['sid']).toBe(first.sid)
    expect((await client.use(String(second['access_token']))).status).not.toBe(401)
  })

  it('X084 ends the whole sign-in when a refresh token is used twice', async () => {
    const first = await client.signedIn()
    const other = await client.signedIn()
    const second = (await client.refresh(first.refresh_token)).json()
    const stolen = await client.refresh(first.refresh_token)
    expect(stolen.json()).toMatchObject({ error: 'invalid_grant' })
    expect((await client.refresh(String(second['refresh_token']))).json()).toMatchObject({
      error: 'invalid_grant',
    })
    for (const token of [first.access_token, String(second['access_token'])]) {
      expect((await client.use(token)).status).toBe(401)
    }
    expect((await client.use(other.access_token)).status).not.toBe(401)
  })

  it('X084 lets one of two win that refresh at once, and then ends the sign-in', async () => {
    const { refresh_token: token } = await client.signedIn()
    const answers = await Promise.all([client.refresh(token), client.refresh(token)])
    expect(answers.map((each) => each.status).filter((each) => each === 200).length).toBeLessThan(2)
    const winner = answers.find((each) => each.status === 200)
    if (winner !== undefined) {
      expect((await client.refresh(String(winner.json()['refresh_token']))).status).toBe(400)
    }
  })

  it('X082 gives nothing for a used code, another verifier, redirect, or client, and ends the sign-in of a used code', async () => {
    const attempts: Record<string, string>[] = [
      { code_verifier: 'w'.repeat(43) },
      { redirect_uri: 'http://127.0.0.1:5556/callback' },
      { redirect_uri: 'http://127.0.0.1:5555/other' },
      { client_id: '04b07795-8ddb-461a-bbee-02f9e1bf7b46' },
    ]
    for (const change of attempts) {
      const { code } = await client.signedInCode()
      expect((await client.redeem(code, change)).json()).toMatchObject({ error: 'invalid_grant' })
    }
    const { code } = await client.signedInCode()
    const body = (await client.redeem(code)).json()
    expect((await client.redeem(code)).json()).toMatchObject({ error: 'invalid_grant' })
    expect((await client.use(String(body['access_token']))).status).toBe(401)
  })

  it.each<[string, Record<string, string>]>([
    ['another host', { redirect_uri: 'http://evil.example:5555/callback' }],
    ['https of another host', { redirect_uri: 'https://evil.example/' }],
    ['another path', { redirect_uri: 'http://127.0.0.1:5555/elsewhere' }],
    ['a user in the address', { redirect_uri: 'http://127.0.0.1:5555@evil.example/callback' }],
    ['a name that begins alike', { redirect_uri: 'http://localhost.evil.example/callback' }],
    ['a scheme of scripts', { redirect_uri: 'javascript:alert(1)' }],
    ['an unknown client', { client_id: '11111111-1111-4111-8111-111111111111' }],
  ])('X082 shows a page instead of sending somebody to %s', async (_name, change) => {
    const { answer } = await client.browse().open(client.authorizeUrl(change))
    expect(answer.status).toBe(400)
    expect(answer.headers.location).toBeUndefined()
    expect(answer.text).toContain('Sign-in failed')
  })

  it.each<[string, Record<string, string>, string]>([
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['an implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    ['no page', { prompt: 'none' }, 'login_required'],
  ])('X082 tells the client that %s is not possible', async (_name, change, error) => {
    const { url } = await client.browse().open(client.authorizeUrl(change))
    expect(new URL(url.replace('#', '?')).searchParams.get('error')).toBe(error)
  })

  it('asks for the password again: the cookies of a finished sign-in sign nobody in', async () => {
    const browser = client.browse()
    await client.signedInCode(browser)
    for (const change of [{}, { prompt: 'select_account' }]) {
      const { answer } = await browser.open(client.authorizeUrl(change))
      expect(answer.text).toContain('id="password"')
    }
    const { url } = await browser.submit({ username: 'ada@example.com', password })
    expect((await client.redeem(new URL(url).searchParams.get('code') ?? '')).status).toBe(200)
  })
})

describe('the end of a sign-in', () => {
  it('comes by revocation of the refresh token', async () => {
    const { refresh_token: token, access_token: access } = await client.signedIn()
    const form = { token, client_id: cliClientId }
    expect((await postForm(world.oauth('revoke'), client.ca, form)).status).toBe(200)
    expect((await client.refresh(token)).json()).toMatchObject({ error: 'invalid_grant' })
    expect((await client.use(access)).status).toBe(401)
  })

  it('comes by signing out in the browser', async () => {
    const browser = client.browse()
    const {
      refresh_token: token,
      access_token: access,
      id_token: hint,
    } = await client.signedIn(browser)
    await browser.open(`${world.oauth('logout')}?id_token_hint=${hint}`)
    expect(browser.at.answer.text).toContain('Sign out?')
    const { answer } = await browser.submit({})
    expect(answer.text).toContain('Signed out')
    expect((await client.refresh(token)).status).toBe(400)
    expect((await client.use(access)).status).toBe(401)
    await browser.open(client.authorizeUrl())
    expect(browser.at.answer.text).toContain('id="password"')
    expect((await client.browse().open(world.oauth('logout'))).answer.text).toContain('Signed out')
  })
})
