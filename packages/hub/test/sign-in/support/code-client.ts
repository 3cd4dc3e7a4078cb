/**
 * A public client of a hub, driven by hand: authorization address, code, tokens.
 * @module
 */
import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import { cliClientId } from '@sallyport/protocol'
import { call, postForm, type Answer } from '../../hub-fixture.ts'
import { FormBrowser } from './form-browser.ts'
import { password, type SignInHub } from './sign-in-hub.ts'

/** Where the client waits for the browser. */
export const redirectUri = 'http://127.0.0.1:5555/callback'

/** PKCE verifier of the client. */
export const verifier = 'v'.repeat(43)

/** Tokens of one sign-in. */
export interface SignedIn {
  access_token: string
  refresh_token: string
  id_token: string
  sid: string
}

/** Makes the client of `world`. */
export function codeClient(world: SignInHub) {
  const ca = world.home.ca()
  const browse = () => new FormBrowser(world.hub.url, ca)
  const authorizeUrl = (change: Record<string, string> = {}): string => {
    const url = new URL(world.oauth('authorize'))
    const parameters = {
      client_id: cliClientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: `${world.hub.url}/.default openid profile offline_access`,
      state: 'state-1',
      nonce: 'nonce-1',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...change,
    }
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    return url.href
  }
  const signedInCode = async (browser = browse(), change: Record<string, string> = {}) => {
    await browser.open(authorizeUrl(change))
    const { url } = await browser.submit({ username: 'Ada@Example.com', password })
    const { searchParams } = new URL(url)
    return { url, code: searchParams.get('code') ?? '', state: searchParams.get('state') }
  }
  const redeem = (code: string, change: Record<string, string> = {}): Promise<Answer> =>
    postForm(world.oauth('token'), ca, {
      grant_type: 'authorization_code',
      client_id: cliClientId,
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
      client_info: '1',
      ...change,
    })
  return {
    ca,
    browse,
    authorizeUrl,
    signedInCode,
    redeem,
    refresh: (token: string): Promise<Answer> =>
      postForm(world.oauth('token'), ca, {
        grant_type: 'refresh_token',
        client_id: cliClientId,
        refresh_token: token,
      }),
    /** A call of the API: 401 is a token that is not accepted. */
    use: (token: string): Promise<Answer> =>
      call(`${world.hub.url}/tenants?api-version=2022-12-01`, {
        ca,
        headers: { authorization: `Bearer ${token}` },
      }),
    signedIn: async (browser = browse()): Promise<SignedIn> => {
      const { code } = await signedInCode(browser)
      const tokens = (await redeem(code)).json() as unknown as Omit<SignedIn, 'sid'>
      return { ...tokens, sid: String(decodeJwt(tokens.access_token)['sid']) }
    },
  }
}
