import { afterEach, beforeEach, expect, test } from 'vitest'
import { limits, type SallyportError } from '@sallyport/protocol'
import { BoundGroups } from '../../src/groups/bound-groups.ts'
import { BindingWatch } from '../../src/upstream/binding-watch.ts'
import { AgentCredential } from '../../src/upstream/credential.ts'
import { BindingsServer } from '../rig/bindings-server.ts'
import { addressOf } from '../rig/rig.ts'

let server: BindingsServer
let watch: BindingWatch
let told: (string | undefined)[]
const { signal } = new AbortController()

beforeEach(async () => {
  server = await BindingsServer.start()
  told = []
  watch = new BindingWatch({
    target: {
      address: addressOf(server.port, server.certificate),
      credential: new AgentCredential({ token: 'agent-own-token' }),
    },
    onChange: (problem: SallyportError | undefined) => told.push(problem?.message),
  })
})
afterEach(async () => {
  await watch.close()
  await server.close()
})

const isNamed = (name: string) => expect.poll(() => watch.has(name), { timeout: 5_000 })

test('names of all pages of both kinds are known, those of Kubernetes are not kept', async () => {
  server.pageSize = 2
  server.bindings.clusterrolebindings = ['a', 'b', 'c', 'd', 'e'].map((group) => ({
    name: `of-${group}`,
    groups: [group],
  }))
  server.bindings.rolebindings = [{ name: 'x', namespace: 'n', groups: ['in-namespace', 'a'] }]
  expect(watch.problem()?.code).toBe('ERR_UPSTREAM_UNREACHABLE')
  watch.start()
  await watch.settled(signal)
  expect(watch.problem()).toBeUndefined()
  for (const name of ['a', 'b', 'c', 'd', 'e', 'in-namespace'])
    expect(watch.has(name), name).toBe(true)
  expect(watch.has('system:masters')).toBe(false)
  expect(watch.has('somebody')).toBe(false)
  await expect.poll(() => told).toEqual([undefined])
})

test('a binding that comes, changes or goes is known at once', async () => {
  watch.start()
  await watch.settled(signal)
  await expect.poll(() => server.watches).toBe(2)
  const { version } = watch
  server.change('rolebindings', 'ADDED', { name: 'r', namespace: 'n', groups: ['a', 'b'] })
  await isNamed('a').toBe(true)
  expect(watch.version).toBeGreaterThan(version)
  server.change('rolebindings', 'MODIFIED', { name: 'r', namespace: 'n', groups: ['b', 'c'] })
  await isNamed('c').toBe(true)
  expect([watch.has('a'), watch.has('b')]).toEqual([false, true])
  server.change('rolebindings', 'DELETED', { name: 'r', namespace: 'n', groups: ['b', 'c'] })
  await isNamed('b').toBe(false)
})

test('a watch that ends goes on where it was, also after a bookmark', async () => {
  watch.start()
  await watch.settled(signal)
  await expect.poll(() => server.watches).toBe(2)
  server.event('rolebindings', 'BOOKMARK', { metadata: { resourceVersion: '4711' } })
  server.change('clusterrolebindings', 'ADDED', { name: 'c', groups: ['a'] })
  await isNamed('a').toBe(true)
  server.requests.length = 0
  server.endWatches()
  await expect.poll(() => server.requests.length, { timeout: 5_000 }).toBe(2)
  expect(server.requests.every((request) => request.includes('watch=1'))).toBe(true)
  expect(server.requests.join()).toContain('resourceVersion=4711')
  expect(server.requests.join()).toContain(`resourceVersion=${server.version}`)
})

test.each(['event', 'status'])(
  '410 as %s: the list is read again and replaces what was',
  async (how) => {
    server.bindings.clusterrolebindings = [{ name: 'old', groups: ['old', 'both'] }]
    watch.start()
    await watch.settled(signal)
    await expect.poll(() => server.watches).toBe(2)
    server.bindings.clusterrolebindings = [{ name: 'new', groups: ['new', 'both'] }]
    const gone = { kind: 'Status', code: 410, reason: 'Expired' }
    if (how === 'event')
      for (const kind of ['clusterrolebindings', 'rolebindings'] as const)
        server.event(kind, 'ERROR', gone)
    else {
      server.refusal = 410
      server.requests.length = 0
      server.endWatches('destroy')
      await expect.poll(() => server.requests.length, { timeout: 5_000 }).toBeGreaterThan(1)
      server.refusal = undefined
    }
    await isNamed('new').toBe(true)
    expect([watch.has('old'), watch.has('both')]).toEqual([false, true])
    expect(watch.problem()).toBeUndefined()
  },
)

test('without the right to list, the problem names it, and is over once it is granted', async () => {
  server.refusal = 403
  watch.start()
  await watch.settled(signal)
  const problem = watch.problem()
  expect(problem?.code).toBe('ERR_UPSTREAM_AUTH')
  expect(problem?.message).toMatch(/may not list and watch (?:cluster)?rolebindings/)
  expect(problem?.remedy).toMatch(/list and watch on clusterrolebindings and rolebindings/)
  server.refusal = undefined
  await expect.poll(() => watch.problem(), { timeout: 10_000 }).toBeUndefined()
  expect(told.at(-1)).toBeUndefined()
  // A right taken away later counts at once: new bindings are not seen any more.
  server.refusal = 403
  server.endWatches('destroy')
  await expect.poll(() => watch.problem()?.code, { timeout: 10_000 }).toBe('ERR_UPSTREAM_AUTH')
})

test('a short break is no problem', async () => {
  server.bindings.rolebindings = [{ name: 'r', groups: ['a'] }]
  watch.start()
  await watch.settled(signal)
  await expect.poll(() => server.watches).toBe(2)
  server.refusal = 503
  server.endWatches('destroy')
  await expect.poll(() => told.at(-1), { timeout: 5_000 }).toMatch(/cannot read/)
  expect(watch.problem()).toBeUndefined()
  expect(watch.has('a')).toBe(true)
})

test('counting: a name goes with its last binding; a name that stays is never away; too many are no silence', () => {
  const bound = new BoundGroups()
  bound.set('c/1', ['a', 'a', 'b'])
  bound.set('c/2', ['a'])
  const { version } = bound
  bound.set('c/1', ['a'])
  expect(bound.version).toBe(version + 1)
  bound.set('c/1', ['a'])
  expect(bound.version).toBe(version + 1)
  bound.delete('c/2')
  expect([bound.has('a'), bound.size]).toEqual([true, 1])
  bound.retain('c/', new Set())
  expect([bound.has('a'), bound.size]).toEqual([false, 0])
  bound.set(
    'c/3',
    Array.from({ length: limits.boundGroups + 1 }, (_, index) => `g${index}`),
  )
  expect([bound.size, bound.overflowed]).toEqual([limits.boundGroups, true])
})
