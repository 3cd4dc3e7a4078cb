import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { limits, SallyportError, type ClusterTokenClaims } from '@sallyport/protocol'
import type { AskGroups } from '../../src/groups/fetch-groups.ts'
import { KubernetesServer } from '../../src/link/kubernetes-server.ts'
import { senderOf } from '../../src/link/sender.ts'
import { Session } from '../../src/link/session.ts'
import { AgentCredential } from '../../src/upstream/credential.ts'
import { HeadGuard } from '../../src/upstream/head-guard.ts'
import { requestLine, status } from '../rig/exchange.ts'
import { claims } from '../rig/hub-key.ts'
import { LocalEnd } from '../rig/local-end.ts'
import { Named } from '../rig/named.ts'
import { Recorder } from '../rig/recorder.ts'
import { addressOf, oid, sid } from '../rig/rig.ts'

let recorder: Recorder
const server = new KubernetesServer()
const violations: string[] = []
const heads = new HeadGuard({ violation: (text) => violations.push(text) })

beforeAll(async () => {
  recorder = await Recorder.start()
  heads.start()
})
beforeEach(() => {
  recorder.reset()
})
afterAll(async () => {
  heads.close()
  server.close()
  await recorder.close()
  expect(violations).toEqual([])
})

const groupsOf = (count: number): string[] => Array.from({ length: count }, () => randomUUID())
const hub =
  (groups: string[], change: { objectId?: string; rev?: number } = {}): AskGroups =>
  () =>
    Promise.resolve({ objectId: oid, rev: 0, groups, ...change })

/** A session as a bind would make it. */
async function session(askGroups: AskGroups, named: Named, change: object = { hasgroups: true }) {
  const accepted = claims(change) as ClusterTokenClaims
  const target = {
    address: addressOf(recorder.port, recorder.certificate),
    credential: new AgentCredential({ token: 'agent-own-token' }),
  }
  const sender = await senderOf({ claims: accepted, target, heads, askGroups, named })
  return new Session({ ...accepted, kid: 'hub-1' }, sender, () => undefined)
}

async function get(of: Session): Promise<string> {
  const end = new LocalEnd()
  server.accept(end.agentEnd, of)
  end.write(`${requestLine()}\r\n`)
  const answer = await end.answer()
  end.stream.destroy()
  return answer
}

const sent = (): string[] =>
  Array.from(recorder.bytes.matchAll(/Impersonate-Group: (.*)\r/g), ([, group]) => group ?? '')

test('T-IMP-2 the groups of the hub are sent as they are up to 500', async () => {
  const groups = groupsOf(limits.guardGroups)
  const one = await session(hub(groups), new Named())
  expect(status(await get(one))).toBe(200)
  expect(sent()).toEqual(groups.sort())
  one.destroy()
})

test.each([501, 10_000, limits.groupsPerPrincipal])(
  'X035 %i groups, decided otherwise by design: those that bindings name are sent, a new binding counts for the next request',
  async (count) => {
    const groups = groupsOf(count)
    const [first = '', second = '', third = ''] = groups
    const named = new Named(first, second, 'not-a-group-of-theirs')
    const one = await session(hub(groups), named)
    await get(one)
    expect(sent()).toEqual([first, second].sort())
    recorder.connections.length = 0
    named.add(third)
    await get(one)
    expect(sent()).toEqual([first, second, third].sort())
    recorder.connections.length = 0
    named.remove(first)
    await get(one)
    expect(sent()).toEqual([second, third].sort())
    expect(recorder.bytes.match(/Impersonate-User: /g)).toHaveLength(1)
    one.destroy()
  },
)

test('X035 500 groups of 200 bytes, more than 48 KiB, are chosen from too', async () => {
  const groups = Array.from({ length: 500 }, (_, index) => `${index}`.padStart(200, 'g'))
  const one = await session(hub(groups), new Named(groups[7] ?? ''))
  await get(one)
  expect(sent()).toEqual([groups[7]])
  one.destroy()
})

test('a binding of somebody else’s group changes nothing, not even the client', async () => {
  const groups = groupsOf(600)
  const named = new Named(groups[0] ?? '')
  const one = await session(hub(groups), named)
  await get(one)
  const { client } = one
  named.add('somebody-elses')
  await get(one)
  expect(one.client).toBe(client)
  named.add(groups[1] ?? '')
  await get(one)
  expect(one.client).not.toBe(client)
  one.destroy()
})

test('every name passes the guard, also those that would not be sent', async () => {
  const groups = [...groupsOf(5_000), 'system:masters']
  await expect(session(hub(groups), new Named())).rejects.toMatchObject({
    code: 'ERR_GUARD_IDENTITY',
  })
  expect(recorder.connections).toHaveLength(0)
})

test('more than the API server takes is refused with numbers, at the bind and later', async () => {
  const groups = groupsOf(15_000)
  await expect(session(hub(groups), new Named(...groups))).rejects.toThrow(
    /name 15000 of the 15000 groups of the principal: 855000 bytes of headers, 786432 are the most/,
  )
  const named = new Named()
  const one = await session(hub(groups), named)
  named.add(...groups)
  const answer = await get(one)
  expect(status(answer)).toBe(403)
  expect(answer).toContain('855000 bytes')
  expect(recorder.heads).toBe(0)
  one.destroy()
})

test('bindings that cannot be read refuse the session; never fewer groups in silence', async () => {
  const named = new Named()
  named.failure = new SallyportError('ERR_UPSTREAM_AUTH', 'the agent may not list rolebindings')
  await expect(session(hub(groupsOf(501)), named)).rejects.toThrow(/may not list rolebindings/)
  // Whoever has few groups does not depend on it.
  const few = await session(hub(groupsOf(5)), named)
  expect(status(await get(few))).toBe(200)
  few.destroy()
  named.failure = undefined
  const one = await session(hub(groupsOf(501)), named)
  recorder.reset()
  named.failure = new SallyportError('ERR_UPSTREAM_AUTH', 'the agent may not list rolebindings')
  const answer = await get(one)
  expect(status(answer)).toBe(502)
  expect(answer).toContain('may not list rolebindings')
  expect(recorder.heads).toBe(0)
  one.destroy()
})

test('T-IMP-12 groups that are not there, somebody else’s, or older than the token: no session', async () => {
  const failing: AskGroups = () => Promise.reject(new Error('socket hang up'))
  await expect(session(failing, new Named())).rejects.toMatchObject({ code: 'ERR_HUB_UNREACHABLE' })
  const others = hub([], { objectId: sid })
  await expect(session(others, new Named())).rejects.toMatchObject({ code: 'ERR_BIND_REFUSED' })
  const old = session(hub([], { rev: 1 }), new Named(), { hasgroups: true, rev: 2 })
  await expect(old).rejects.toThrow(/older than the token/)
  expect(recorder.connections).toHaveLength(0)
})
