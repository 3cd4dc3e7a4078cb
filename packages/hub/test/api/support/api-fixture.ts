/**
 * The API in the application of the hub, over HTTPS with a private CA, with a real store and a clock the test moves.
 * @module
 */
import { Writable } from 'node:stream'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:https'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { SallyportError, limits } from '@sallyport/protocol'
import type { ApiContext } from '../../../src/api/context.ts'
import { registerApi } from '../../../src/api/register-api.ts'
import { ClusterKeys } from '../../../src/identity/cluster-keys.ts'
import { createClusterTokens } from '../../../src/identity/cluster-tokens.ts'
import { KeyRotation } from '../../../src/identity/key-rotation.ts'
import { createOutsideIdentity } from '../../../src/identity/issuers/outside-identity.ts'
import type { Principal } from '../../../src/identity/principal.ts'
import { ChangeFeed } from '../../../src/registry/change-feed.ts'
import { ensureSubscription } from '../../../src/registry/subscriptions.ts'
import { createApp } from '../../../src/server/app.ts'
import { createLog } from '../../../src/server/log.ts'
import { createMetrics } from '../../../src/server/metrics.ts'
import { openStore, type Store } from '../../../src/store/store.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { makeCertificates } from './certificates.ts'

/** The administrator every fixture knows by the token `administrator`. */
export const administrator: Principal = {
  objectId: '7d0c2f5e-5c8a-4f60-9a3f-2b8f3f0c1a11',
  kind: 'app',
  tenantId: '3f1f7a52-8d5b-4e0f-9c0d-6f2f6a1c9b22',
  displayName: 'owner',
  appId: 'a1b2c3d4-0000-4000-8000-00000000abcd',
  administrator: true,
  groups: ['c0ffee00-0000-4000-8000-000000000001'],
}

/** A principal without any right, by the token `stranger`. */
export const stranger: Principal = {
  ...administrator,
  objectId: '11111111-2222-4333-8444-555555555555',
  displayName: 'mallory',
  kind: 'user',
  administrator: false,
}

/** Header of a call that is to end behind the gate, with 204. */
export const gateOnly = 'x-gate-only'

/** A running API. */
export interface ApiFixture extends AsyncDisposable {
  app: FastifyInstance
  store: Store
  subscriptionId: string
  url: string
  /** PEM of the CA of `url`. */
  ca: string
  /** Path of a file with `ca`. */
  caFile: string
  clock: { now: number }
  context: ApiContext
  keys: ClusterKeys
  log: string[]
  /** Who signs in with which token: tests add their own. */
  principals: Map<string, Principal>
  /** Every route of the API. */
  routes: RouteOptions[]
  /** `inject` as the administrator, api-version added when the path has none. */
  call: (method: string, path: string, options?: CallOptions) => Promise<Answer>
}

/** What a call may set. */
export interface CallOptions {
  body?: unknown
  headers?: Record<string, string>
  token?: string | undefined
}

/** What a call got. */
export interface Answer {
  status: number
  headers: Record<string, string | string[] | number | undefined>
  /** JSON where it is JSON, else the text. */
  body: unknown
  /** The member at a dotted path of the body, undefined when there is none. */
  at: (path: string) => unknown
}

/** Starts an API on a free port; `authorities` are trusted of outside issuers. */
export async function startApi(
  options: { authorities?: readonly string[] } = {},
): Promise<ApiFixture> {
  const directory = temporaryDirectory()
  const certificates = await makeCertificates(directory.path)
  const store = await openStore({ directory: `${directory.path}/data` })
  const clock = { now: Date.now() }
  const log: string[] = []
  const server = createServer({ key: certificates.key, cert: certificates.certificate })
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      log.push(chunk.toString())
      done()
    },
  })
  const app = createApp({
    server,
    log: createLog(sink, 'debug'),
    metrics: createMetrics(),
    isDraining: () => false,
  })
  const routes: RouteOptions[] = []
  const principals = new Map([
    ['administrator', administrator],
    ['stranger', stranger],
  ])
  app.addHook('onRoute', (route) => {
    routes.push(route)
  })
  // Runs after the gate and before anything reads the body.
  app.addHook('preParsing', async (request, reply) => {
    if (request.headers[gateOnly] !== undefined) await reply.code(204).send()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const now = (): number => clock.now
  const path = `${directory.path}/cluster-token.json`
  const keys = await ClusterKeys.load({ path, issuer: url, store, now })
  const changes = new ChangeFeed()
  const context: ApiContext = {
    store,
    publicUrl: url,
    tenantId: administrator.tenantId,
    location: { name: 'local', displayName: 'Local' },
    authenticate: (request) => {
      const principal = principals.get(request.headers.authorization?.replace('Bearer ', '') ?? '')
      if (principal !== undefined) return Promise.resolve(principal)
      return Promise.reject(new SallyportError('ERR_AUTH_REQUIRED', 'this call needs a sign-in'))
    },
    clusterTokens: createClusterTokens({ issuer: url, keys, now }),
    relayAccess: { forClient: access(url, clock), forAgent: access(url, clock) },
    changes,
    rotateAccessTokenKeys: () => Promise.resolve('k2'),
    keyRotation: new KeyRotation({
      keys,
      store,
      changes,
      leaseMs: limits.feedLeaseMs,
      onProblem: (error) => log.push(String(error)),
      now,
    }),
    issuers: createOutsideIdentity({
      store,
      dataDirectory: `${directory.path}/data`,
      publicUrl: url,
      authorities: options.authorities ?? [],
      log: createLog(sink, 'debug'),
      onChange: () => {
        changes.wake()
      },
      now,
    }).management,
    now,
  }
  registerApi(app, context)
  await app.ready()
  server.on('request', (request, response) => {
    app.routing(request, response)
  })
  const subscriptionId = await ensureSubscription(store, { now: clock.now })
  return {
    app,
    store,
    subscriptionId,
    url,
    ca: certificates.ca,
    caFile: certificates.caFile,
    clock,
    context,
    keys,
    log,
    principals,
    routes,
    call: (method, path, options = {}) => call(app, { method, path, ...options }),
    [Symbol.asyncDispose]: async () => {
      context.changes.close()
      server.closeAllConnections()
      await app.close()
      server.close()
      await store.close()
      directory[Symbol.dispose]()
    },
  }
}

async function call(
  app: FastifyInstance,
  request: CallOptions & { method: string; path: string },
): Promise<Answer> {
  const version = versionFor(request.path.toLowerCase())
  const separator = request.path.includes('?') ? '&' : '?'
  const token = 'token' in request ? request.token : 'administrator'
  const answer = await app.inject({
    method: request.method as 'GET',
    url: /api-version/i.test(request.path)
      ? request.path
      : `${request.path}${separator}api-version=${version}`,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...request.headers,
    },
    ...(request.body === undefined ? {} : { payload: request.body as object }),
  })
  let body: unknown = answer.body
  try {
    body = answer.json()
  } catch {
    // Not every answer has a body.
  }
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body,
    at: (path) => path.split('.').reduce(member, body),
  }
}

function versionFor(path: string): string {
  if (path.includes('/providers/microsoft.authorization')) return '2022-04-01'
  return path.includes('microsoft.kubernetes') ? '2024-01-01' : '2022-12-01'
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function access(url: string, clock: { now: number }): ApiContext['relayAccess']['forClient'] {
  return (path) => [
    {
      url: `${url.replace('https', 'wss')}/$hc/${path}`,
      token: `SharedAccessSignature sr=${encodeURIComponent(path)}&sig=AAAA&se=1&skn=test`,
      expiresAt: Math.floor(clock.now / 1000) + 120,
    },
  ]
}
