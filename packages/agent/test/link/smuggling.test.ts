import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { guard } from '../../src/guard/guard.ts'
import { KubernetesServer } from '../../src/link/kubernetes-server.ts'
import { AgentCredential } from '../../src/upstream/credential.ts'
import { HeadGuard } from '../../src/upstream/head-guard.ts'
import { ImpersonatingClient } from '../../src/upstream/impersonating-client.ts'
import { requestLine, status } from '../rig/exchange.ts'
import { LocalEnd } from '../rig/local-end.ts'
import { ok, Recorder } from '../rig/recorder.ts'
import { addressOf, makeRig, type Rig } from '../rig/rig.ts'

let recorder: Recorder
let rig: Rig

beforeAll(async () => {
  recorder = await Recorder.start()
})
beforeEach(() => {
  recorder.reset()
  rig = makeRig({ address: addressOf(recorder.port, recorder.certificate) })
})
afterEach(() => {
  rig.close()
})
afterAll(async () => {
  await recorder.close()
})

const lengths = [
  '+3',
  '-3',
  '0x3',
  '3,3',
  '3, 3',
  '3 3',
  '3\t4',
  '',
  ' ',
  '03e0',
  '3.0',
  '1e1',
  '18446744073709551619',
  '٣',
  '"3"',
]
const codings = [
  'xchunked',
  'chunked, chunked',
  'identity, chunked',
  'chunked, identity',
  'gzip, chunked',
  'Chunked',
  'CHUNKED',
  'chunked,',
  ',chunked',
  '"chunked"',
  'chunked;q=1',
  'chunked\t',
  '\u000bchunked',
  'identity',
  'chunk',
  'chunked\u0000',
]
const lines = [
  ...lengths.map((value) => `Content-Length: ${value}`),
  ...codings.map((value) => `Transfer-Encoding: ${value}`),
  'Content-Length: 3\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 3',
  'Content-Length: 3\r\nContent-Length: 3',
  'Content-Length: 3\r\ncontent-length: 44',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Content-Length : 3',
  'Content-Length\t: 3',
  ' Content-Length: 3',
  'X: y\r\n Content-Length: 44',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding\r\n : chunked',
  'Transfer\u0000-Encoding: chunked',
  'Content-Length: 3\nX: y',
  'X: y\nContent-Length: 44',
  'X: y\rContent-Length: 44',
  'Connection: Content-Length\r\nContent-Length: 3',
  'Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked',
  'Expect: 100-continue, x\r\nContent-Length: 3',
  'Expect:\r\nContent-Length: 3',
]
const bodies = [
  '3\r\nabc\r\n0\r\nContent-Length: 44\r\nX\r\n\r\n',
  '3;a="\n"\r\nabc\r\n0\r\n\r\n',
  '3\nabc\n0\n\n',
  '3\r\nabcd\r\n0\r\n\r\n',
  '-3\r\nabc\r\n0\r\n\r\n',
  '0x3\r\nabc\r\n0\r\n\r\n',
  '+3\r\nabc\r\n0\r\n\r\n',
  ' 3\r\nabc\r\n0\r\n\r\n',
  '10000000000000003\r\nabc\r\n0\r\n\r\n',
  'g\r\nabc\r\n0\r\n\r\n',
  '\r\n3\r\nabc\r\n0\r\n\r\n',
]
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const corpus = [
  ...lines.map((line) => `${requestLine('POST', '/api')}${line}\r\n\r\nabc${smuggled}`),
  ...bodies.map(
    (body) => `${requestLine('POST', '/api')}Transfer-Encoding: chunked\r\n\r\n${body}${smuggled}`,
  ),
]

test('T-SMUG-1 the corpus has at least 60 cases', () => {
  expect(new Set(corpus).size).toBeGreaterThanOrEqual(60)
})

test.each(corpus)(
  'T-SMUG-1 %j: refused and closed, or one request of one meaning',
  async (bytes) => {
    const end = rig.open()
    end.write(bytes)
    const answer = await end.end()
    // Nothing can be on its way any more.
    rig.close()
    await expect.poll(() => recorder.sockets.size).toBe(0)
    // Whatever was made of it, the connection is over, and what was behind the first request was not taken for a second.
    expect(answer.match(/HTTP\/1\.1 [2-5]/g)?.length ?? 0).toBeLessThanOrEqual(1)
    if (answer !== '') expect([400, 413, 417]).toContain(status(answer))
    expect(recorder.bytes).not.toMatch(/\r\n\r\nGET \/smuggled|^GET \/smuggled/)
    // A head may have left before its chunks were seen to be wrong; such a request never becomes whole.
    expect(recorder.bytes).not.toMatch(/\r\n0\r\n(?:.*\r\n)*\r\n$/)
    expect(recorder.heads).toBeLessThanOrEqual(1)
  },
)

test('T-SMUG-1 two honest requests in one write are two, each with the identity', async () => {
  const end = rig.open()
  end.write(
    `${requestLine('POST', '/1')}Content-Length: 3\r\n\r\nabc${requestLine('GET', '/2')}\r\n`,
  )
  await end.until((text) => (text.match(/HTTP\/1\.1 200/g)?.length ?? 0) === 2)
  expect(recorder.bytes.match(/(?:POST \/1|GET \/2) HTTP\/1\.1/g)).toHaveLength(2)
  expect(recorder.bytes.match(/Impersonate-User: /g)).toHaveLength(2)
  end.stream.destroy()
})

/** Sessions of different people over one server of the agent. */
function people(count: number, heads: HeadGuard) {
  const target = {
    address: addressOf(recorder.port, recorder.certificate),
    credential: new AgentCredential({ token: 'agent-own-token' }),
  }
  return Array.from({ length: count }, () => {
    const who = { oid: randomUUID(), sid: randomUUID() }
    const client = new ImpersonatingClient({ target, identity: guard(who), guard: heads })
    return { ...who, client }
  })
}

async function get(
  server: KubernetesServer,
  who: ReturnType<typeof people>[number],
): Promise<string> {
  const end = new LocalEnd()
  server.accept(end.agentEnd, {
    sessionId: who.sid,
    client: who.client,
    nextRequestId: () => `${who.sid}.1`,
    onProblem: () => undefined,
  })
  end.write(`${requestLine()}Connection: close\r\n\r\n`)
  return end.end()
}

const userOf = (head: string): string => /Impersonate-User: (\S+)/.exec(head)?.[1] ?? ''

test('T-CON-1 an upstream connection serves one session and ends with it', async () => {
  const heads = new HeadGuard({ violation: () => undefined })
  heads.start()
  const server = new KubernetesServer()
  const all = people(5, heads)
  for (let round = 0; round < 6; round++) await Promise.all(all.map((who) => get(server, who)))
  for (const connection of recorder.connections)
    expect(new Set(connection.match(/Impersonate-User: \S+/g) ?? []).size).toBeLessThanOrEqual(1)
  for (const who of all) who.client.destroy()
  await expect.poll(() => recorder.sockets.size).toBe(0)
  server.close()
  heads.close()
})

test('T-CON-2 of 1,000 answers with another one glued behind, none is given to anybody', async () => {
  const heads = new HeadGuard({ violation: () => undefined })
  heads.start()
  const server = new KubernetesServer()
  const all = people(10, heads)
  recorder.answer = (head) => ok(userOf(head)) + ok('poison')
  let right = 0
  let poisoned = 0
  for (let round = 0; round < 100; round++)
    await Promise.all(
      all.map(async (who) => {
        const answer = await get(server, who)
        if (answer.includes('poison')) poisoned++
        if (answer.endsWith(who.oid)) right++
      }),
    )
  expect(poisoned).toBe(0)
  expect(right).toBeGreaterThan(900)
  for (const who of all) who.client.destroy()
  server.close()
  heads.close()
})
