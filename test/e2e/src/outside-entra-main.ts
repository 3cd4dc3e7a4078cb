/**
 * An outside issuer that answers as Microsoft documents Entra ID: v2.0 addresses and tokens, groups that do not fit a token and are
 * asked of Graph. Argument: the file with its `EntraConfig`.
 * @module
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { text } from 'node:stream/consumers'
import type { EntraConfig } from './outside-issuers.ts'

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as EntraConfig
const { client, person, origin, tenantId } = config
const base = `${origin}/${tenantId}`
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
/** Authorization requests whose code is not redeemed yet. */
const codes = new Map<string, URLSearchParams>()
const accessTokens = new Set<string>()

const documents: Record<string, unknown> = {
  [`/${tenantId}/v2.0/.well-known/openid-configuration`]: {
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: [
      'client_secret_post',
      'private_key_jwt',
      'client_secret_basic',
    ],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
  },
  [`/${tenantId}/discovery/v2.0/keys`]: {
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'first', use: 'sig' }],
  },
}

function idToken(nonce: string): string {
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    aud: client.id,
    iss: `${base}/v2.0`,
    iat,
    nbf: iat,
    exp: iat + 3600,
    name: person.name,
    nonce,
    oid: person.objectId,
    preferred_username: person.userPrincipalName,
    sub: createHash('sha256').update(`${client.id}${person.objectId}`).digest('base64url'),
    tid: tenantId,
    ver: '2.0',
    // Groups overage: a reference, to the service that was retired, as Entra still sends it.
    _claim_names: { groups: 'src1' },
    _claim_sources: {
      src1: {
        endpoint: `https://graph.windows.net/${tenantId}/users/${person.objectId}/getMemberObjects`,
      },
    },
  }
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ typ: 'JWT', alg: 'RS256', kid: 'first' })}.${encode(claims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
}

const form = (isWrong: boolean) => `<!doctype html><html lang="en"><title>Sign in</title>
<form method="post">${isWrong ? '<p role="alert">Your account or password is incorrect.</p>' : ''}
<label>Email <input name="loginfmt"></label> <label>Password <input name="passwd" type="password"></label>
<button>Sign in</button></form></html>`

/** Where the browser goes with a code; undefined for another person or password. */
function authorize(query: URLSearchParams, fields: URLSearchParams): string | undefined {
  const isPerson = fields.get('loginfmt') === person.userPrincipalName
  if (!isPerson || fields.get('passwd') !== person.password) return undefined
  const code = randomBytes(16).toString('hex')
  codes.set(code, query)
  const back = new URL(client.redirectUri)
  back.searchParams.set('code', code)
  back.searchParams.set('state', query.get('state') ?? '')
  return back.href
}

function redeem(fields: URLSearchParams): unknown {
  const query = codes.get(fields.get('code') ?? '')
  codes.delete(fields.get('code') ?? '')
  const challenge = createHash('sha256')
    .update(fields.get('code_verifier') ?? '')
    .digest('base64url')
  const isRight =
    query?.get('code_challenge') === challenge &&
    query.get('client_id') === client.id &&
    fields.get('client_id') === client.id &&
    fields.get('client_secret') === client.secret &&
    fields.get('redirect_uri') === client.redirectUri
  if (!isRight) return undefined
  const scope = query.get('scope') ?? ''
  const accessToken = randomBytes(32).toString('base64url')
  // Only a token with Graph's scope is one for Graph.
  if (scope.split(' ').includes(`${origin}/User.Read`)) accessTokens.add(accessToken)
  return {
    token_type: 'Bearer',
    scope,
    expires_in: 3599,
    access_token: accessToken,
    id_token: idToken(query.get('nonce') ?? ''),
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const isText = typeof body === 'string'
  const type = isText ? 'text/html; charset=utf-8' : 'application/json'
  response.writeHead(status, { 'content-type': type })
  response.end(isText ? body : JSON.stringify(body))
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', origin)
  const fields = new URLSearchParams(request.method === 'POST' ? await text(request) : '')
  const document = documents[pathname]
  if (document !== undefined) {
    send(response, 200, document)
  } else if (pathname === `/${tenantId}/oauth2/v2.0/authorize`) {
    const location = authorize(searchParams, fields)
    if (location === undefined) send(response, 200, form(request.method === 'POST'))
    else response.writeHead(302, { location }).end()
  } else if (pathname === `/${tenantId}/oauth2/v2.0/token`) {
    const tokens = redeem(fields)
    send(response, tokens === undefined ? 400 : 200, tokens ?? { error: 'invalid_grant' })
  } else if (pathname === '/v1.0/me/getMemberObjects') {
    const isKnown = accessTokens.has((request.headers.authorization ?? '').slice('Bearer '.length))
    send(response, isKnown ? 200 : 401, isKnown ? { value: config.groups } : { error: {} })
  } else send(response, 404, {})
}

createServer(
  { cert: readFileSync(config.certificate), key: readFileSync(config.key) },
  (request, response) => {
    void serve(request, response)
  },
).listen(Number(new URL(origin).port), new URL(origin).hostname, () => {
  process.stdout.write('listening\n')
})
