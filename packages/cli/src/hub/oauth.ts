/**
 * OAuth 2.0 requests to the hub: forms in, tokens or a named refusal out (RFC 6749 sections 5.1 and 5.2).
 * @module
 */
import Type from 'typebox'
import { SallyportError, jsonParser } from '@sallyport/protocol'
import { armError } from './arm-error.ts'
import type { HubResponse, HubTransport } from './transport.ts'

const parseToken = jsonParser(
  Type.Object({
    access_token: Type.String({ minLength: 1 }),
    expires_in: Type.Number({ minimum: 0 }),
    refresh_token: Type.Optional(Type.String({ minLength: 1 })),
    id_token: Type.Optional(Type.String({ minLength: 1 })),
  }),
  'token answer of the hub',
  'ERR_HUB_UNREACHABLE',
)

const parseOAuthError = jsonParser(
  Type.Object({ error: Type.String(), error_description: Type.Optional(Type.String()) }),
  'error',
)

/** An access token and when it ends, Unix milliseconds. */
export interface AccessToken {
  accessToken: string
  expiresAt: number
}

/** What a token endpoint gives. */
export interface TokenSet extends AccessToken {
  refreshToken?: string
  idToken?: string
}

/** A refusal: `error` is the registered word. */
export interface Refusal {
  error: string
  description: string | undefined
  requestId: string
}

/** Tokens, or why there are none. */
export type TokenAnswer = { token: TokenSet } | { refusal: Refusal }

/** The parts of an OAuth error answer, undefined when it is none. */
export function readRefusal(response: HubResponse): Refusal | undefined {
  try {
    const { error, error_description: description } = parseOAuthError(response.text)
    return { error, description, requestId: response.requestId }
  } catch {
    return undefined
  }
}

/** An address on the hub itself. @throws SallyportError ERR_HUB_UNTRUSTED for any other: no secret goes there (T-CLI-3). */
export function sameOrigin(transport: Pick<HubTransport, 'origin'>, address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.origin === transport.origin) return url
  throw new SallyportError(
    'ERR_HUB_UNTRUSTED',
    `the hub at ${transport.origin} sends clients to ${url?.origin ?? 'an address that is none'}`,
    { remedy: 'sign in at the address the hub has as its public URL: sallyport login --hub URL' },
  )
}

/** A form of names and values; undefined ones are left out. */
export type Form = Record<string, string | undefined>

/** Posts a form to an endpoint of the hub. @throws SallyportError when the hub is away, busy or broken. */
export async function postForm(
  transport: HubTransport,
  address: string,
  request: { form: Form; signal: AbortSignal },
): Promise<HubResponse> {
  const endpoint = sameOrigin(transport, address)
  const given = Object.entries(request.form).filter(
    (field): field is [string, string] => field[1] !== undefined,
  )
  const response = await transport.send({
    method: 'POST',
    path: endpoint.pathname + endpoint.search,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(given).toString(),
    signal: request.signal,
  })
  if (response.status >= 500 || response.status === 429) throw armError(response)
  return response
}

/** Asks for tokens. @throws SallyportError when the hub is away, busy or broken; a refusal is an answer. */
export async function askToken(
  transport: HubTransport,
  tokenEndpoint: string,
  request: { form: Form; signal: AbortSignal },
): Promise<TokenAnswer> {
  const response = await postForm(transport, tokenEndpoint, request)
  if (response.status !== 200) {
    const unknown = { error: `status ${response.status}`, description: undefined }
    return { refusal: readRefusal(response) ?? { ...unknown, requestId: response.requestId } }
  }
  const answer = parseToken(response.text)
  return {
    token: {
      accessToken: answer.access_token,
      expiresAt: Date.now() + answer.expires_in * 1000,
      ...(answer.refresh_token === undefined ? {} : { refreshToken: answer.refresh_token }),
      ...(answer.id_token === undefined ? {} : { idToken: answer.id_token }),
    },
  }
}

/** A refusal as an error; `remedy` when the registry's does not fit. */
export function refused(refusal: Refusal, remedy?: string): SallyportError {
  const { error, description, requestId } = refusal
  return new SallyportError('ERR_AUTH_FAILED', `sign-in failed: ${description ?? error}`, {
    requestId,
    ...(remedy === undefined ? {} : { remedy }),
  })
}
