import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { exchange, expectRefused, requestLine, status } from '../rig/exchange.ts'
import { Recorder } from '../rig/recorder.ts'
import { addressOf, makeRig, oid, type Rig } from '../rig/rig.ts'

let recorder: Recorder
let rig: Rig

beforeAll(async () => {
  recorder = await Recorder.start()
  rig = makeRig({ address: addressOf(recorder.port, recorder.certificate) })
})
beforeEach(() => {
  recorder.reset()
})
afterAll(async () => {
  rig.close()
  await recorder.close()
})

const get = (target: string): Promise<string> =>
  exchange(rig, `${requestLine('GET', Buffer.from(target).toString('latin1'))}\r\n`)

async function expectForwarded(target: string): Promise<void> {
  expect(status(await get(target))).toBe(200)
  expect(recorder.bytes.startsWith(`GET ${target} HTTP/1.1\r\n`)).toBe(true)
  expect(recorder.bytes).toContain(`\r\nImpersonate-User: ${oid}\r\n`)
}

test.each([
  '/api/v1/../../metrics',
  '/api/%2e%2e/x',
  '/api/%252e%252e/x',
  '/api/..;/x',
  '/api/./x',
  '/api//x',
])('X113 T-PATH-1 %s is refused', async (target) => {
  expectRefused(recorder, await get(target), 400)
})

test.each([
  '/api/a%2fb',
  '/api/a%5cb',
  '/api/a\\b',
  '/api/%00',
  '/api/%0d%0a',
  '/api#frag',
  '/api/ä',
  '/api/%',
  `/${'a'.repeat(limits.agentMaxTargetBytes)}`,
])('X114 T-PATH-1 %j is refused', async (target) => {
  expectRefused(recorder, await get(target), 400)
})

test('X114 a space in the target is refused', async () => {
  const end = rig.open()
  end.write(requestLine('GET', '/api/a b').concat('\r\n'))
  expect(status(await end.end())).toBe(400)
  expect(recorder.heads).toBe(0)
})

test.each([
  'http://169.254.169.254/latest',
  'https://[fd00:ec2::254]/',
  '//evil/',
  '/\\evil',
  '*',
  'evil:443',
])('X115 T-PATH-3 %s is refused and connects nowhere', async (target) => {
  expect(status(await get(target))).toBe(400)
  expect(recorder.connections).toHaveLength(recorder.heads)
  expect(recorder.heads).toBe(0)
})

test('X115 T-PATH-3 CONNECT is refused', async () => {
  const end = rig.open()
  end.write('CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n\r\n')
  expect(status(await end.end())).toBe(405)
  expect(recorder.connections).toHaveLength(0)
})

test('X116 repeated parameters and odd values are forwarded as they are; above 8 KiB it is 400, above 64 KiB 431, by design not 414', async () => {
  await expectForwarded('/api/v1/pods?watch=true&watch=false&resourceVersion=%00junk&&=&a')
  recorder.reset()
  await expectForwarded(`/api/v1/pods?${'a=1&'.repeat(2_000)}`)
  recorder.reset()
  const parameters = (count: number): string =>
    Array.from({ length: count }, (_, index) => `p${index}=1`).join('&')
  expectRefused(recorder, await get(`/api/v1/pods?${parameters(1_500)}`), 400)
  expectRefused(recorder, await get(`/api/v1/pods?${parameters(10_000)}`), 431)
})

const proxied = [
  '/api/v1/namespaces/x/pods/y/proxy/admin',
  '/api/v1/namespaces/x/pods/https:y:443/proxy/',
  '/api/v1/namespaces/x/services/https:s:443/proxy/x',
  '/api/v1/nodes/10.0.0.1/proxy/stats',
]
test.each(proxied)(
  'X117 decided otherwise by design: %s goes on unchanged, RBAC of the API server decides for the object id',
  async (target) => {
    await expectForwarded(target)
  },
)

test.each([
  '/api/v1/nodes/n/PROXY/run',
  '/api/v1/nodes/n/pr%6fxy/run',
  '/api/v1/nodes/n/%70roxy/run',
])(
  'X118 decided otherwise by design: no rule of ours looks at proxy, so that %s has no second meaning: the bytes go on',
  async (target) => {
    await expectForwarded(target)
  },
)

test.each([
  '/api/v1/nodes/n/proxy/run/ns/p/c?cmd=id',
  '/api/v1/nodes/n/proxy/exec/ns/p/c?command=id',
])(
  'X119 decided otherwise by design: a WebSocket to %s carries the identity, never the agent’s own rights',
  async (target) => {
    recorder.answer = () => 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'
    const end = rig.open()
    end.write(
      `${requestLine('GET', target)}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    )
    expect(status(await end.end())).toBe(403)
    expect(recorder.bytes.match(/Impersonate-User: .*\r/g)).toEqual([`Impersonate-User: ${oid}\r`])
  },
)

test('X120 a proxied answer keeps its sandbox and loses its cookies', async () => {
  recorder.answer = () =>
    'HTTP/1.1 200 OK\r\nContent-Security-Policy: sandbox\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nhi'
  const answer = await get('/api/v1/namespaces/x/services/metadata/proxy/latest')
  expect(answer).toMatch(/\r\nContent-Security-Policy: sandbox\r\n/i)
  expect(answer).not.toMatch(/set-cookie/i)
})
