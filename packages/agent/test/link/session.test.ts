import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { limits, type SallyportError } from '@sallyport/protocol'
import {
  createLinkIdentity,
  openClientLink,
  type ClientLink,
  type LinkIdentity,
} from '@sallyport/tunnel'
import { createClusterTokenVerifier } from '../../src/link/cluster-token.ts'
import { KubernetesServer } from '../../src/link/kubernetes-server.ts'
import { LinkSet } from '../../src/link/link-set.ts'
import { senderOf } from '../../src/link/sender.ts'
import { SessionRegistry } from '../../src/link/session-registry.ts'
import { AgentCredential } from '../../src/upstream/credential.ts'
import { HeadGuard } from '../../src/upstream/head-guard.ts'
import { openAdmission } from '../rig/admission.ts'
import { claims, hash, issuer, makeHubKey, signToken } from '../rig/hub-key.ts'
import { Recorder } from '../rig/recorder.ts'
import { nothingNamed } from '../rig/named.ts'
import { addressOf, oid, sid } from '../rig/rig.ts'

const key = makeHubKey()
const { signal } = new AbortController()
let recorder: Recorder
let agent: LinkIdentity
let client: LinkIdentity
let sessions: SessionRegistry
let links: LinkSet
let heads: HeadGuard
let refused: { what: string; error: SallyportError }[]
let events: string[]
const asked = (): Promise<never> => Promise.reject(new Error('nobody asks for groups here'))

beforeAll(async () => {
  recorder = await Recorder.start()
  agent = await createLinkIdentity({ commonName: 'agent', validForMs: 3_600_000 })
  client = await createLinkIdentity({ commonName: 'client', validForMs: 3_600_000 })
})
beforeEach(async () => {
  recorder.reset()
  refused = []
  events = []
  heads = new HeadGuard({ violation: (text) => events.push(text) })
  heads.start()
  const server = new KubernetesServer()
  const target = {
    address: addressOf(recorder.port, recorder.certificate),
    credential: new AgentCredential({ token: 'agent-own-token' }),
  }
  sessions = new SessionRegistry({
    verifier: await createClusterTokenVerifier({ issuer, clusterHash: hash, keys: [key.pinned] }),
    admission: openAdmission,
    senderOf: (accepted) =>
      senderOf({ claims: accepted, target, heads, askGroups: () => asked(), named: nothingNamed }),
    onStream: (session, { stream }) => {
      server.accept(stream, session)
    },
    onEvent: (what) => events.push(what),
    onProblem: () => undefined,
  })
  links = new LinkSet({
    identity: agent,
    sessions,
    onRefused: (what, error) => refused.push({ what, error }),
  })
})
afterEach(async () => {
  await links.close()
  sessions.close()
  heads.close()
})
afterAll(async () => {
  await recorder.close()
})

/** Two ends of a TCP connection: the ends of a rendezvous are sockets, and TLS behaves differently on other streams. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const local = createConnection({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  })
  const [remote] = (await once(server, 'connection')) as [Socket]
  server.close()
  return [local, remote]
}

async function connect(identity = client): Promise<ClientLink> {
  const [local, remote] = await socketPair()
  links.accept(remote)
  return openClientLink(local, {
    identity,
    serverName: 'x.sallyport.internal',
    checkAgentKey: () => undefined,
    signal,
  })
}

const tokenFor = (identity: LinkIdentity, change: object = {}): string =>
  signToken(key, claims({ cnf: { 'x5t#S256': identity.certificateThumbprint }, ...change }))

async function get(link: ClientLink, more = ''): Promise<string> {
  const stream = link.openStream()
  stream.write(Buffer.from(`GET /api HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${more}\r\n`))
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

/** Code of the refusal of a bind. */
async function refusal(bound: Promise<unknown>): Promise<string> {
  try {
    await bound
    return 'bound'
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code)
    throw error
  }
}

test('a request travels through a real link under the identity of the token', async () => {
  const link = await connect()
  const answer = await link.bind(tokenFor(client, { groups: ['g2', 'g1'] }), signal)
  expect(answer.sessionId).toBe(sid)
  expect(await get(link)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\{\}$/)
  expect(recorder.bytes).toContain(
    `Audit-ID: ${sid}.1\r\nAuthorization: Bearer agent-own-token\r\nImpersonate-User: ${oid}\r\n` +
      `Impersonate-Group: g1\r\nImpersonate-Group: g2\r\nImpersonate-Extra-sallyport.dev%2Fsid: ${sid}\r\n\r\n`,
  )
  expect(sessions.list()).toMatchObject([{ sid, oid, auth: 'AAD', streams: 0 }])
  link.destroy()
  await expect.poll(() => sessions.size).toBe(0)
  expect(events).toEqual(['started', 'ended'])
  await expect.poll(() => recorder.sockets.size).toBe(0)
})

test('a Token session sends the caller’s token and nothing of ours', async () => {
  const link = await connect()
  await link.bind(tokenFor(client, { auth: 'Token' }), signal)
  expect(await get(link)).toMatch(/^HTTP\/1\.1 401 /)
  expect(recorder.heads).toBe(0)
  expect(await get(link, 'Authorization: Bearer sa-token\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  expect(recorder.bytes).not.toMatch(/impersonate|agent-own/i)
})

describe('bind refused', () => {
  test('X072 a stolen token under another key', async () => {
    const thief = await createLinkIdentity({ commonName: 'thief', validForMs: 3_600_000 })
    const link = await connect(thief)
    expect(await refusal(link.bind(tokenFor(client), signal))).toBe('ERR_BIND_REFUSED')
    expect(refused[0]?.error.why).toMatch(/another client certificate/)
    expect(sessions.size).toBe(0)
  })

  test.each([
    ['ERR_GUARD_IDENTITY', { groups: ['system:masters'] }],
    ['ERR_GUARD_IDENTITY', { oid: 'alice' }],
    ['ERR_BIND_REFUSED', { aud: `urn:sallyport:cluster:${'00'.repeat(32)}` }],
  ])('%s for %o, told without the reason', async (code, change) => {
    const link = await connect()
    const bound = link.bind(tokenFor(client, change), signal)
    expect(await refusal(bound)).toBe(code)
    await expect(bound).rejects.not.toThrow(/system:masters|alice|audience/)
    expect(refused[0]?.error.why).toBeDefined()
    expect(recorder.connections).toHaveLength(0)
  })

  test('X055 a guard that fails leaves no session and no default identity', async () => {
    const broken = new SessionRegistry({
      verifier: await createClusterTokenVerifier({ issuer, clusterHash: hash, keys: [key.pinned] }),
      admission: openAdmission,
      senderOf: () => {
        throw new RangeError('out of memory')
      },
      onStream: () => undefined,
      onEvent: () => undefined,
      onProblem: () => undefined,
    })
    const peer = {
      certificateThumbprint: client.certificateThumbprint,
      dismiss: () => undefined,
    }
    const request = { v: 1 as const, token: tokenFor(client), client: 'x' }
    await expect(broken.bind(request, peer)).rejects.toThrow('out of memory')
    expect(broken.size).toBe(0)
  })

  test('the limit of sessions is ERR_AGENT_BUSY', async () => {
    const peer = {
      certificateThumbprint: client.certificateThumbprint,
      dismiss: () => undefined,
    }
    const bind = (id: string) =>
      sessions.bind({ v: 1, token: tokenFor(client, { sid: id }), client: 'x' }, peer)
    for (let count = 0; count < limits.sessionsPerAgent; count++) await bind(randomUUID())
    expect(await refusal(bind(randomUUID()))).toBe('ERR_AGENT_BUSY')
  })
})

describe('renewal', () => {
  test('keeps the session; other groups apply to the next request', async () => {
    const link = await connect()
    await link.bind(tokenFor(client, { groups: ['old'] }), signal)
    await get(link)
    await link.bind(tokenFor(client, { groups: ['new'], jti: 'jti-2' }), signal)
    await get(link)
    const groups = Array.from(recorder.bytes.matchAll(/Impersonate-Group: (.*)\r/g), ([, g]) => g)
    expect(groups).toEqual(['old', 'new'])
    expect(sessions.size).toBe(1)
    expect(events).toEqual(['started'])
  })

  test.each([{ sid: randomUUID() }, { oid: randomUUID() }, { auth: 'Token' }])(
    'with %o is refused and changes nothing',
    async (change) => {
      const link = await connect()
      await link.bind(tokenFor(client), signal)
      expect(await refusal(link.bind(tokenFor(client, change), signal))).toBe('ERR_BIND_REFUSED')
      await get(link)
      expect(recorder.bytes).toContain(`Impersonate-User: ${oid}\r\n`)
      expect(sessions.size).toBe(1)
    },
  )

  test('a second link of the session shares it; the session ends with the last', async () => {
    const first = await connect()
    await first.bind(tokenFor(client), signal)
    const second = await connect()
    await second.bind(tokenFor(client), signal)
    expect(sessions.size).toBe(1)
    first.destroy()
    await first.closed
    expect(await get(second)).toMatch(/^HTTP\/1\.1 200 /)
    second.destroy()
    await expect.poll(() => sessions.size).toBe(0)
  })

  test('another principal cannot join a session by its id', async () => {
    const first = await connect()
    await first.bind(tokenFor(client), signal)
    const other = await createLinkIdentity({ commonName: 'other', validForMs: 3_600_000 })
    const second = await connect(other)
    expect(await refusal(second.bind(tokenFor(other, { oid: randomUUID() }), signal))).toBe(
      'ERR_BIND_REFUSED',
    )
  })
})

test('X054 parallel sessions never share an identity', async () => {
  const people = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const identity = await createLinkIdentity({ commonName: 'c', validForMs: 3_600_000 })
      return { identity, oid: randomUUID(), sid: randomUUID() }
    }),
  )
  await Promise.all(
    people.map(async ({ identity, ...who }) => {
      const link = await connect(identity)
      await link.bind(tokenFor(identity, who), signal)
      await Promise.all(Array.from({ length: 8 }, () => get(link)))
    }),
  )
  const pairs = Array.from(
    recorder.bytes.matchAll(/Audit-ID: ([0-9a-f-]{36})\.\d+\r\n[^]*?Impersonate-User: (\S+)\r\n/g),
    ([, session, user]) => `${session ?? ''} ${user ?? ''}`,
  )
  expect(pairs).toHaveLength(12 * 8)
  expect(new Set(pairs)).toEqual(new Set(people.map((who) => `${who.sid} ${who.oid}`)))
})
