/**
 * An OpenID provider that says whatever a test wants it to: as Microsoft documents Entra (v1.0 and v2.0 addresses, Graph), or as
 * an attacker would. It is a real HTTPS server that takes part in the real code flow; only its honesty is adjustable.
 * @module
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose'
import { makeCertificates } from '../../../api/support/certificates.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

/** A key of the issuer. */
export interface PlayedKey {
  kid: string
  privateKey: CryptoKey
  jwk: JWK
}

interface Code {
  clientId: string
  redirectUri: string
  nonce: string
  challenge: string
}

/** The issuer; its members are what it will do next. */
export interface PlayedIssuer extends AsyncDisposable {
  origin: string
  /** CA of `origin`. */
  ca: string
  tenantId: string
  clientSecret: string
  /** Claims on top of the ordinary ones; undefined leaves one out. */
  claims: Record<string, unknown>
  /** Payload as text, instead of the claims. */
  payload: ((claims: Record<string, unknown>) => string) | undefined
  /** Members of the header of ID tokens. */
  header: Record<string, unknown>
  key: PlayedKey
  /** Members on top of those of the discovery document. */
  discovery: Record<string, unknown>
  /** Query members of the redirect back, on top of `code` and `state`. */
  redirect: Record<string, string>
  graph: { status: number; groups: string[] }
  /** Paths that were asked for. */
  requests: string[]
  /** Audience asked for by `resource` or scope. */
  asked: URLSearchParams[]
}

/** Makes a key for ID tokens. */
export async function playedKey(kid: string): Promise<PlayedKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' } }
}

/** Starts it on a free port. */
export async function playIssuer(): Promise<PlayedIssuer> {
  using directory = temporaryDirectory()
  const certificates = await makeCertificates(directory.path)
  const server = createServer({ key: certificates.key, cert: certificates.certificate })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer: PlayedIssuer = {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    ca: certificates.ca,
    tenantId: randomUUID(),
    clientSecret: 'top-secret',
    claims: {},
    payload: undefined,
    header: {},
    key: await playedKey('k1'),
    discovery: {},
    redirect: {},
    graph: { status: 200, groups: [] },
    requests: [],
    asked: [],
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  const codes = new Map<string, Code>()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer({ issuer, codes }, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  return issuer
}

interface Play {
  issuer: PlayedIssuer
  codes: Map<string, Code>
}

async function answer(
  play: Play,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { issuer } = play
  const url = new URL(request.url ?? '/', issuer.origin)
  issuer.requests.push(url.pathname)
  const send = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const { pathname } = url
  if (pathname.endsWith('/.well-known/openid-configuration')) {
    send(200, { ...document(issuer, pathname), ...issuer.discovery })
  } else if (pathname.endsWith('/keys')) {
    send(200, { keys: [issuer.key.jwk] })
  } else if (pathname.endsWith('/authorize')) {
    response.writeHead(302, { location: authorize(play, url) }).end()
  } else if (pathname.endsWith('/token')) {
    const form = new URLSearchParams(await text(request))
    const tokens = await redeem(play, form, pathname)
    send(tokens === undefined ? 400 : 200, tokens ?? { error: 'invalid_grant' })
  } else if (pathname === '/v1.0/me/getMemberObjects') {
    const isRight = request.headers.authorization === 'Bearer for-graph'
    send(isRight ? issuer.graph.status : 401, { value: issuer.graph.groups })
  } else {
    send(404, {})
  }
}

/** `/{tenant}/v2.0` as v2.0, `/{tenant}` as v1.0, with the addresses Entra has for them. */
function document({ origin }: PlayedIssuer, pathname: string) {
  const path = pathname.slice(0, -'/.well-known/openid-configuration'.length)
  const tenant = path.split('/')[1] ?? ''
  const isNew = path.endsWith('/v2.0')
  const version = isNew ? '/v2.0' : ''
  return {
    issuer: isNew ? `${origin}${path}` : `${origin}${path}/`,
    authorization_endpoint: `${origin}/${tenant}/oauth2${version}/authorize`,
    token_endpoint: `${origin}/${tenant}/oauth2${version}/token`,
    jwks_uri: `${origin}/${isNew ? tenant : 'common'}/discovery${version}/keys`,
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
  }
}

/** Somebody is signed in already: the browser is sent back at once. */
function authorize({ issuer, codes }: Play, url: URL): string {
  const query = url.searchParams
  issuer.asked.push(query)
  const code = randomBytes(16).toString('hex')
  codes.set(code, {
    clientId: query.get('client_id') ?? '',
    redirectUri: query.get('redirect_uri') ?? '',
    nonce: query.get('nonce') ?? '',
    challenge: query.get('code_challenge') ?? '',
  })
  const back = new URL(query.get('redirect_uri') ?? '')
  const members = { code, state: query.get('state') ?? '', ...issuer.redirect }
  for (const [name, value] of Object.entries(members)) back.searchParams.set(name, value)
  return back.href
}

async function redeem(play: Play, form: URLSearchParams, pathname: string) {
  const { issuer, codes } = play
  const found = codes.get(form.get('code') ?? '')
  codes.delete(form.get('code') ?? '')
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url')
  const isRight =
    found?.challenge === challenge &&
    found.redirectUri === form.get('redirect_uri') &&
    found.clientId === form.get('client_id') &&
    form.get('client_secret') === issuer.clientSecret
  if (!isRight) return undefined
  return {
    token_type: 'Bearer',
    expires_in: 3600,
    access_token: 'for-graph',
    id_token: await idToken(issuer, found, pathname),
  }
}

/** An ID token as Entra writes it. */
async function idToken(issuer: PlayedIssuer, code: Code, pathname: string): Promise<string> {
  const [, tenant = ''] = pathname.split('/')
  const isNew = pathname.includes('/v2.0/')
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: isNew ? `${issuer.origin}/${tenant}/v2.0` : `${issuer.origin}/${tenant}/`,
    aud: code.clientId,
    sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
    oid: '00000000-0000-4000-8000-66f3332eca7e',
    tid: tenant,
    ver: isNew ? '2.0' : '1.0',
    name: 'Abe Lincoln',
    [isNew ? 'preferred_username' : 'upn']: 'AbeLi@example.com',
    nonce: code.nonce,
    iat,
    nbf: iat,
    exp: iat + 3600,
    ...issuer.claims,
  }
  const payload = issuer.payload?.(claims) ?? JSON.stringify(claims)
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid: issuer.key.kid, ...issuer.header })
    .sign(issuer.key.privateKey)
}
