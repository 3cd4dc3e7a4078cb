/**
 * Signing in a person in the browser: authorization code with PKCE on a loopback redirect (RFC 6749, 7636, 8252).
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { SallyportError, cliClientId } from '@sallyport/protocol'
import { receiveCode, type LoopbackAddresses } from './loopback.ts'
import { askToken, refused } from './oauth.ts'
import { personScopes, type SignInEndpoints } from './sign-in.ts'
import type { HubTransport } from './transport.ts'
import { identifyUser, type SignedInUser } from './user-identity.ts'

const unguessable = () => randomBytes(32).toString('base64url')

/** Signs in; `opened` brings the browser to the given address. @throws SallyportError. */
export async function signInByBrowser(
  transport: HubTransport,
  endpoints: SignInEndpoints,
  options: {
    opened: (addresses: LoopbackAddresses) => void
    signal: AbortSignal
    timeoutMs?: number
  },
): Promise<SignedInUser> {
  const { authorizationEndpoint } = endpoints
  if (authorizationEndpoint === undefined) throw notOffered()
  const verifier = unguessable()
  const state = unguessable()
  const nonce = unguessable()
  return receiveCode<SignedInUser>(
    {
      ...options,
      state,
      issuer: endpoints.issuer,
      authorizationUrl: (redirectUri) => {
        const url = new URL(authorizationEndpoint)
        const parameters = {
          client_id: cliClientId,
          response_type: 'code',
          redirect_uri: redirectUri,
          scope: personScopes(endpoints),
          code_challenge: createHash('sha256').update(verifier).digest('base64url'),
          code_challenge_method: 'S256',
          state,
          nonce,
        }
        for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
        return url.href
      },
      redeem: async (code, redirectUri) => {
        const answer = await askToken(transport, endpoints.tokenEndpoint, {
          form: {
            grant_type: 'authorization_code',
            client_id: cliClientId,
            code,
            redirect_uri: redirectUri,
            code_verifier: verifier,
          },
          signal: options.signal,
        })
        if ('token' in answer) return identifyUser(endpoints, answer.token, nonce)
        if (answer.refusal.error === 'invalid_grant') return undefined
        throw refused(answer.refusal, 'sign in again: sallyport login')
      },
      greeting: ({ account }) => `You are ${account.username} in the terminal now.`,
    },
    options.opened,
  )
}

function notOffered(): SallyportError {
  return new SallyportError('ERR_AUTH_FAILED', 'this hub does not sign people in by browser', {
    remedy: 'sallyport login --service-principal -u CLIENT_ID --password-file FILE',
  })
}
