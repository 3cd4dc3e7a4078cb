/**
 * Revocation and lease on real links: who is refused, who is cut, how fast, and what the client hears.
 * @module
 */
import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { limits, type FeedClaims, type SallyportError } from '@sallyport/protocol'
import {
  createLinkIdentity,
  openClientLink,
  type ClientLink,
  type LinkIdentity,
} from '@sallyport/tunnel'
import { FeedAdmission } from '../../src/feed/admission.ts'
import { Lease } from '../../src/feed/lease.ts'
import { PinnedKeys } from '../../src/feed/pinned-keys.ts'
import { Revocations } from '../../src/feed/revocations.ts'
import { createClusterTokenVerifier } from '../../src/link/cluster-token.ts'
import { KubernetesServer } from '../../src/link/kubernetes-server.ts'
import { LinkSet } from '../../src/link/link-set.ts'
import { SessionRegistry } from '../../src/link/session-registry.ts'
import { ImpersonatingClient } from '../../src/upstream/impersonating-client.ts'
import { AgentCredential } from '../../src/upstream/credential.ts'
import { HeadGuard } from '../../src/upstream/head-guard.ts'
import { guard } from '../../src/guard/guard.ts'
import { feedClaims } from '../rig/feed-hub.ts'
import { claims, hash, issuer, makeHubKey, signToken } from '../rig/hub-key.ts'
import { Recorder, ok } from '../rig/recorder.ts'
import { addressOf, oid, sid } from '../rig/rig.ts'

const key = makeHubKey('hub-1')
const second = makeHubKey('hub-2')
const { signal } = new AbortController()
let recorder: Recorder
let agent: LinkIdentity
let client: LinkIdentity
let sessions: SessionRegistry
let links: LinkSet
let heads: HeadGuard
let keys: PinnedKeys
let revocations: Revocations
let lease: Lease
let admission: FeedAdmission
let clock: number
let rideOutMs: number
let refused: SallyportError[]

beforeAll(async () => {
  recorder = await Recorder.start()
  agent = await createLinkIdentity({ commonName: 'agent', validForMs: 3_600_000 })
  client = await createLinkIdentity({ commonName: 'client', validForMs: 3_600_000 })
})
afterAll(async () => {
  await recorder.close()
})
beforeEach(async () => {
  recorder.reset()
  clock = 1_000_000
  rideOutMs = 0
  refused = []
  heads = new HeadGuard({ violation: () => undefined })
  heads.start()
  await build()
})
afterEach(async () => {
  await links.close()
  sessions.close()
  lease.close()
  heads.close()
})

async function build(): Promise<void> {
  const server = new KubernetesServer()
  const target = {
    address: addressOf(recorder.port, recorder.certificate),
    credential: new AgentCredential({ token: 'agent-own-token' }),
  }
  keys = await PinnedKeys.load([key.pinned])
  revocations = new Revocations(() => clock)
  lease = new Lease({
    now: () => clock,
    wallNow: Date.now,
    rideOutMs,
    hubOffsetMs: () => 600_000,
    onLost: () => undefined,
    onCut: () => sessions.recheck(),
  })
  admission = new FeedAdmission({ lease, revocations, keys })
  sessions = new SessionRegistry({
    verifier: await createClusterTokenVerifier({ issuer, clusterHash: hash, keys }),
    admission,
    senderOf: (accepted) => {
      const identity = guard(accepted)
      return Promise.resolve({
        key: identity.user,
        current: () => identity,
        open: () => new ImpersonatingClient({ target, identity, guard: heads }),
      })
    },
    onStream: (session, { stream }) => {
      server.accept(stream, session)
    },
    onEvent: () => undefined,
    onProblem: () => undefined,
  })
  links = new LinkSet({
    identity: agent,
    sessions,
    onRefused: (_what, error) => refused.push(error),
  })
}

/** What the loop does with a verified statement. */
function hear(change: Partial<FeedClaims> = {}): void {
  const request = {
    instance: 'i',
    nonce: 'n',
    keyIds: ['hub-1'],
    ...(revocations.seq === undefined ? {} : { after: revocations.seq }),
  }
  const statement = feedClaims(request, change)
  revocations.apply(statement)
  lease.grant(clock, statement.leaseMs)
  admission.heard(statement)
  sessions.recheck()
}

function revoked(kind: 'principal' | 'session' | 'all', target: string): Partial<FeedClaims> {
  const seq = (revocations.seq ?? 0) + 1
  return { seq, revocations: [{ seq, kind, target }] }
}

async function connect(): Promise<ClientLink> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const local = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [remote] = (await once(server, 'connection')) as [Socket]
  server.close()
  links.accept(remote)
  return openClientLink(local, {
    identity: client,
    serverName: 'x.sallyport.internal',
    checkAgentKey: () => undefined,
    signal,
  })
}

const token = (change: object = {}, by = key): string =>
  signToken(by, claims({ cnf: { 'x5t#S256': client.certificateThumbprint }, ...change }))

/** `bound`, or code and words of the refusal. */
async function bind(link: ClientLink, change: object = {}, by = key): Promise<string> {
  try {
    await link.bind(token(change, by), signal)
    return 'bound'
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${String(error.code)}: ${error.message}`
    throw error
  }
}

/** A request that never ends: what a watch looks like. */
async function watch(link: ClientLink): Promise<{ closed: Promise<number> }> {
  recorder.answer = () =>
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n'
  const stream = link.openStream()
  stream.on('error', () => undefined)
  stream.write(Buffer.from('GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: a\r\n\r\n'))
  await once(stream, 'data')
  stream.resume()
  const closed = new Promise<number>((resolve) => {
    stream.once('close', () => {
      resolve(performance.now())
    })
  })
  return { closed }
}

test.each([
  ['principal', oid],
  ['session', sid],
  ['all', ''],
] as const)('T-REV-1 a revoked %s is cut at once, upstream too', async (kind, target) => {
  hear()
  const link = await connect()
  expect(await bind(link)).toBe('bound')
  const { closed } = await watch(link)
  const revokedAt = performance.now()
  hear(revoked(kind, target))
  const cut = (await closed) - revokedAt
  console.info(`revoked ${kind}: stream cut after ${cut.toFixed(1)} ms`)
  expect(cut).toBeLessThan(2_000)
  expect((await link.closed).error).toMatchObject({ code: 'ERR_SESSION_STALE' })
  await expect.poll(() => recorder.sockets.size).toBe(0)
  expect(sessions.size).toBe(0)
  // The old token opens nothing, the renewed one does; at once both times.
  const since = performance.now()
  expect(await bind(await connect())).toMatch(/^ERR_SESSION_STALE/)
  expect(performance.now() - since).toBeLessThan(1_000)
  expect(await bind(await connect(), { rev: 1 })).toBe('bound')
})

test('somebody else’s revocation is not noticed', async () => {
  hear()
  const link = await connect()
  await bind(link)
  hear(revoked('principal', 'somebody-else'))
  recorder.answer = () => ok('{}')
  expect(link.open).toBe(true)
  expect(sessions.size).toBe(1)
})

test('a token newer than what the agent knows waits for the hub’s word, then counts', async () => {
  hear()
  const first = await connect()
  await bind(first)
  const { closed } = await watch(first)
  const later = await connect()
  const bound = bind(later, { rev: 1 })
  // The group was lost at number 1: streams of before must be gone when the token of after is accepted.
  setImmediate(() => {
    hear(revoked('principal', oid))
  })
  expect(await bound).toBe('bound')
  await closed
})

test('a token of a future the hub never tells of is refused', async () => {
  hear()
  expect(await bind(await connect(), { rev: 99 })).toMatch(/^ERR_AGENT_LEASE/)
})

test('T-REV-3 before the first statement and after the lease nobody new comes in, and the words name clocks and times', async () => {
  expect(await bind(await connect())).toBe(
    'ERR_AGENT_LEASE: the agent has not heard from the hub yet',
  )
  hear()
  const link = await connect()
  expect(await bind(link)).toBe('bound')
  clock += limits.feedLeaseMs
  const why = await bind(await connect())
  expect(why).toMatch(/^ERR_AGENT_LEASE: the agent has not heard from the hub for 60 s \(since /)
  expect(why).toMatch(/Z, .*Z by the clock of the hub\); its lease of 60 s is over$/)
  // Without ride-out the live one may not stay either; its request for more time is refused.
  expect(sessions.recheck()).toBe(1)
  expect((await link.closed).error).toMatchObject({ code: 'ERR_AGENT_LEASE' })
  hear()
  expect(await bind(await connect())).toBe('bound')
})

test('X160 with ride-out live sessions stay and renew for that long, new ones do not come', async () => {
  await links.close()
  rideOutMs = 3_600_000
  await build()
  hear()
  const link = await connect()
  await bind(link)
  clock += limits.feedLeaseMs + rideOutMs - 1
  expect(sessions.recheck()).toBe(0)
  expect(admission.rideOutLeftMs()).toBe(1)
  expect(await bind(link, { jti: 'jti-2222222' })).toBe('bound')
  expect(await bind(await connect())).toMatch(/^ERR_AGENT_LEASE/)
  clock += 1
  expect(sessions.recheck()).toBe(1)
  await link.closed
})

test('the lease ends by its own timer', async () => {
  hear({ leaseMs: 1_000 })
  const link = await connect()
  await bind(link)
  clock += 1_000
  const { error } = await link.closed
  expect(error?.code).toBe('ERR_AGENT_LEASE')
})

test('X085 T-REV-4 a retired key takes its sessions with it', async () => {
  hear()
  const link = await connect()
  // Forged with the stolen key: no number is higher than this one's.
  expect(await bind(link)).toBe('bound')
  keys.adopt({ ...(await PinnedKeys.load([second.pinned])).set, issuedAt: 1 })
  hear()
  expect((await link.closed).error).toMatchObject({ code: 'ERR_SESSION_STALE' })
  expect(await bind(await connect())).toMatch(/^ERR_BIND_REFUSED/)
  expect(await bind(await connect(), {}, second)).toBe('bound')
})

test('with cluster-connect switched off running sessions end and none opens', async () => {
  hear()
  const link = await connect()
  await bind(link)
  hear({ disabledFeatures: ['cluster-connect'] })
  expect((await link.closed).error).toMatchObject({ code: 'ERR_FORBIDDEN' })
  expect(await bind(await connect())).toMatch(/^ERR_FORBIDDEN: cluster connect is switched off/)
})

test('a stale link cannot renew itself into the session that came after it', async () => {
  hear()
  const link = await connect()
  await bind(link)
  hear(revoked('principal', oid))
  expect(await bind(link, { rev: 1 })).toMatch(/^ERR_/)
})
