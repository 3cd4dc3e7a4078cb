import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { agentApiPaths } from '@sallyport/protocol'
import { runAgent } from '../src/main.ts'
import { FakeHub, type HubCall } from './rig/fake-hub.ts'
import { issuer, makeHubKey } from './rig/hub-key.ts'
import { ok, Recorder } from './rig/recorder.ts'

const clusterId =
  '/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg/providers/Microsoft.Kubernetes/connectedClusters/c1'
const agentId = '22222222-2222-4222-8222-222222222222'
let hub: FakeHub
let upstream: Recorder
let directory: string
let stop: AbortController
let running: Promise<number> | undefined
let log: string

beforeAll(async () => {
  hub = await FakeHub.start()
  upstream = await Recorder.start()
})
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-agent-'))
  stop = new AbortController()
  running = undefined
  log = ''
  hub.calls.length = 0
  hub.answer = rightAnswers
  upstream.reset()
  upstream.answer = (head) => {
    if (head.startsWith('GET /version ')) return ok('{"gitVersion":"v1.34.4+k3s1"}')
    if (head.startsWith('GET /api/v1/nodes?')) return ok(nodes(head))
    return ok('{"metadata":{"uid":"uid-kube-system"}}')
  }
  const user = { token: 'agent-own-token' }
  const cluster = {
    server: `https://127.0.0.1:${upstream.port}`,
    'certificate-authority-data': Buffer.from(upstream.certificate).toString('base64'),
  }
  const config = {
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
  }
  writeFileSync(join(directory, 'kubeconfig'), JSON.stringify(config))
})
afterEach(async () => {
  stop.abort()
  await running
  rmSync(directory, { recursive: true })
})
afterAll(async () => {
  await hub.close()
  await upstream.close()
})

/** Two pages of nodes, three in all. */
function nodes(head: string): string {
  const node = {
    metadata: {},
    spec: { providerID: 'aws:///x' },
    status: { capacity: { cpu: '4' } },
  }
  const small = { metadata: {}, status: { capacity: { cpu: '500m' } } }
  return head.includes('continue=next')
    ? JSON.stringify({ metadata: {}, items: [small] })
    : JSON.stringify({ metadata: { continue: 'next' }, items: [node, node] })
}

function rightAnswers(call: HubCall): { status: number; body: unknown } {
  const serverTime = Math.floor(Date.now() / 1000)
  if (call.path === agentApiPaths.enrol)
    return {
      status: 200,
      body: { clusterId, agentId, issuer, clusterTokenKeys: [makeHubKey().pinned], serverTime },
    }
  if (call.path === agentApiPaths.heartbeat)
    return { status: 200, body: { serverTime, intervalMs: 1000 } }
  const relay = { url: 'wss://127.0.0.1:1/$hc/x', token: 't', expiresAt: serverTime + 60 }
  return { status: 200, body: { relays: [relay] } }
}

function connect(ca: string | undefined = hub.certificate): void {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const onboardingKey = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const file = { hub: hub.origin, ...(ca === undefined ? {} : { ca }), clusterId, onboardingKey }
  writeFileSync(join(directory, 'enrolment.json'), JSON.stringify(file))
}

function start(more: string[] = []): Promise<number> {
  const sink = new Writable({
    write(chunk, _, done) {
      log += String(chunk)
      done()
    },
  })
  running = runAgent({
    argv: ['--state-directory', directory, '--kubeconfig', join(directory, 'kubeconfig'), ...more],
    env: {},
    stdout: sink,
    stderr: sink,
    signal: stop.signal,
  })
  return running
}

/** Events of the log in order. */
const events = (): string[] =>
  Array.from(log.matchAll(/"event":"([^"]+)"/g), ([, event]) => event ?? '')
const beats = (): Record<string, unknown>[] =>
  hub.to(agentApiPaths.heartbeat).map(({ body }) => body as Record<string, unknown>)

test('enrols, reports the cluster under signed assertions, and says when it stops', async () => {
  connect()
  const ended = start(['--health-listen', '127.0.0.1:0'])
  await expect.poll(() => beats().some((beat) => beat['totalNodeCount'] === 3)).toBe(true)
  expect(beats().at(-1)).toMatchObject({
    state: 'running',
    listening: false,
    kubernetesVersion: '1.34.4+k3s1',
    totalNodeCount: 3,
    totalCoreCount: 8,
    distribution: 'k3s',
    infrastructure: 'aws',
  })
  const assertion = (hub.to(agentApiPaths.heartbeat)[0]?.authorization ?? '').replace('Bearer ', '')
  expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'ES256', typ: 'sallyport-agent+jwt' })
  expect(decodeJwt(assertion)).toMatchObject({ iss: agentId, sub: agentId, aud: hub.origin })
  const ids = hub.calls.flatMap(({ authorization = '' }) =>
    authorization === '' ? [] : [decodeJwt(authorization.replace('Bearer ', '')).jti],
  )
  expect(new Set(ids).size).toBe(ids.length)
  const port = /"event":"health.listening","port":(\d+)/.exec(log)?.[1] ?? ''
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(503)
  expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toMatch(
    /\nsallyport_agent_sessions 0\n/,
  )
  stop.abort()
  expect(await ended).toBe(0)
  expect(beats().at(-1)).toMatchObject({ state: 'stopping', listening: false })
  expect(events()).toEqual(expect.arrayContaining(['agent.enrolled', 'agent.stopping']))
  expect(events().at(-1)).toBe('agent.stopped')
  expect(readdirSync(directory).sort()).toEqual(['agent.json', 'kubeconfig'])
})

test('no secret is in the log', async () => {
  connect()
  const ended = start(['--log-level', 'trace'])
  await expect.poll(() => beats().length).toBeGreaterThan(1)
  stop.abort()
  await ended
  expect(log).not.toMatch(/PRIVATE|agent-own-token|Bearer|eyJ/)
})

test('a new enrolment left by connect is taken while the agent runs', async () => {
  connect()
  void start()
  await expect.poll(() => beats().length).toBeGreaterThan(0)
  connect()
  await expect.poll(() => hub.to(agentApiPaths.enrol).length, { timeout: 10_000 }).toBe(2)
  await expect.poll(() => readdirSync(directory)).not.toContain('enrolment.json')
  expect(events()).toContain('agent.enrolling_again')
})

test('a hub that cannot be reached is waited for, with the same keys', async () => {
  connect()
  const keys: unknown[] = []
  hub.answer = (call) => {
    if (call.path !== agentApiPaths.enrol) return rightAnswers(call)
    keys.push(decodeJwt((call.body as { proof: string }).proof)['linkKeySha256'])
    return keys.length < 3 ? undefined : rightAnswers(call)
  }
  void start()
  await expect.poll(() => beats().length, { timeout: 10_000 }).toBeGreaterThan(0)
  expect(keys).toHaveLength(3)
  expect(new Set(keys).size).toBe(1)
  expect(events()).toContain('enrolment.waiting')
})

test('an API server that cannot be reached is told in the log; the heartbeat goes on', async () => {
  connect()
  upstream.answer = (head, socket) => {
    if (head.startsWith('GET /api/v1/namespaces/')) return ok('{"metadata":{"uid":"u"}}')
    socket.destroy()
    return undefined
  }
  void start()
  await expect.poll(() => beats().length, { timeout: 10_000 }).toBeGreaterThan(1)
  expect(events()).toContain('upstream.failed')
  expect(beats().at(-1)).not.toHaveProperty('kubernetesVersion')
})

test.each([
  ['ERR_ENROLMENT_REFUSED', 403, 5],
  ['ERR_CLUSTER_ALREADY_CONNECTED', 409, 8],
])('%s ends the agent with exit code %i', async (code, status, exit) => {
  connect()
  hub.answer = () => ({
    status,
    body: {
      error: {
        code: 'Forbidden',
        message: 'this enrolment is not possible',
        additionalInfo: [{ type: 'SallyportError', info: { code, why: 'the clock is off' } }],
      },
    },
  })
  expect(await start()).toBe(exit)
  expect(log).toContain(code)
  expect(log).toContain('the clock is off')
})

test('X094 T-AGT-2 a hub under another authority gets no proof', async () => {
  connect(upstream.certificate)
  expect(await start()).toBe(5)
  expect(log).toContain('ERR_HUB_UNTRUSTED')
  expect(hub.calls).toEqual([])
})

test('a redirect of the hub is not followed', async () => {
  connect()
  hub.answer = () => ({ status: 307, body: {} })
  void start()
  await expect.poll(() => events()).toContain('enrolment.waiting')
  expect(log).toContain('the hub answered 307')
})

test('settings that are wrong are reported on standard error without a log', async () => {
  expect(await start(['--log-level', 'loud', '--nonsense'])).toBe(2)
  expect(log).toMatch(/^ERR_CONFIG_INVALID: [^\n]*--nonsense[^\n]*\n$/)
})

test('never connected, and a second agent', async () => {
  expect(await start()).toBe(4)
  writeFileSync(join(directory, 'agent.lock'), `${process.ppid} \n`)
  expect(await start()).toBe(8)
  rmSync(join(directory, 'agent.lock'))
})
