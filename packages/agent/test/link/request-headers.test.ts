import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import {
  exchange as exchangeWith,
  expectRefused as refused,
  requestLine,
  status,
} from '../rig/exchange.ts'
import { Recorder } from '../rig/recorder.ts'
import { addressOf, makeRig, oid, sid, type Rig } from '../rig/rig.ts'

let recorder: Recorder
let rig: Rig
let token: Rig

beforeAll(async () => {
  recorder = await Recorder.start()
  const address = addressOf(recorder.port, recorder.certificate)
  rig = makeRig({ address, groups: ['b', 'a'] })
  token = makeRig({ address, mode: 'pass-through' })
})
beforeEach(() => {
  recorder.reset()
  rig.problems.length = 0
})
afterAll(async () => {
  rig.close()
  token.close()
  await recorder.close()
})

const exchange = (bytes: string, via = rig): Promise<string> => exchangeWith(via, bytes)

/** What a request with these extra header lines brings. */
async function withHeaders(lines: string[], via = rig, method = 'GET'): Promise<string> {
  return exchange(`${requestLine(method)}${lines.map((line) => `${line}\r\n`).join('')}\r\n`, via)
}

const identityBlock =
  `Impersonate-User: ${oid}\r\nImpersonate-Group: a\r\nImpersonate-Group: b\r\n` +
  `Impersonate-Extra-sallyport.dev%2Fsid: ${sid}\r\n`

const expectRefused = (answer: string, code: number): void => {
  refused(recorder, answer, code)
}

describe('an ordinary request', () => {
  test('arrives byte for byte with the identity, the agent token, Audit-ID and nothing else of ours', async () => {
    const answer = await exchange(
      `${requestLine('GET', '/api/v1/pods?limit=500')}Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json\r\n` +
        'User-Agent: kubectl/v1.32.4\r\nAccept-Encoding: gzip\r\nKubectl-Command: kubectl get\r\nKubectl-Session: x-1\r\n' +
        'Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    const [head = ''] = recorder.connections
    const audit = /Audit-ID: (\S+)\r\n/.exec(head)?.[1] ?? ''
    expect(audit).toMatch(new RegExp(`^${sid}\\.\\d+$`))
    expect(head).toBe(
      `GET /api/v1/pods?limit=500 HTTP/1.1\r\nhost: 127.0.0.1:${recorder.port}\r\nconnection: keep-alive\r\n` +
        'Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json\r\n' +
        'User-Agent: kubectl/v1.32.4\r\nAccept-Encoding: gzip\r\nKubectl-Command: kubectl get\r\nKubectl-Session: x-1\r\n' +
        'Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n' +
        `Audit-ID: ${audit}\r\nAuthorization: Bearer agent-own-token\r\n${identityBlock}\r\n`,
    )
  })

  test('with a body keeps its length and content type', async () => {
    await exchange(
      `${requestLine('POST')}Content-Type: application/vnd.kubernetes.protobuf\r\nContent-Length: 5\r\n\r\nhello`,
    )
    expect(recorder.bytes).toContain('Content-Type: application/vnd.kubernetes.protobuf\r\n')
    expect(recorder.bytes).toMatch(/content-length: 5\r\n\r\nhello$/)
  })

  test('a DELETE with a body keeps the upstream connection', async () => {
    await exchange(`${requestLine('DELETE')}Content-Length: 2\r\n\r\n{}`)
    expect(recorder.bytes).toMatch(/connection: keep-alive\r\n[^]*content-length: 2\r\n\r\n\{\}$/)
  })

  test('Content-Length: 0 of a POST stays', async () => {
    await exchange(`${requestLine('POST')}Content-Length: 0\r\n\r\n`)
    expect(recorder.bytes).toMatch(/content-length: 0\r\n\r\n$/)
  })

  test('a chunked body is streamed and framed anew', async () => {
    recorder.answer = () => undefined
    const end = rig.open()
    end.write(`${requestLine('POST')}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`)
    await expect
      .poll(() => recorder.bytes)
      .toMatch(/transfer-encoding: chunked\r\n[^]*\r\n3\r\nabc$/)
    end.write('2\r\nde\r\n0\r\n\r\n')
    await expect.poll(() => recorder.bytes).toMatch(/\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n$/)
    end.stream.destroy()
  })
})

describe('identity and hop-by-hop headers', () => {
  const variants = ['User', 'Group', 'Uid', 'Extra-scopes', 'Extra-a%2fb'].flatMap((kind) => [
    `Impersonate-${kind}`,
    `impersonate-${kind}`.toLowerCase(),
    `IMPERSONATE-${kind}`.toUpperCase(),
    `Impersonate_${kind}`,
    `_Impersonate-${kind}`,
    `impersonate.${kind}`,
    `Impersonate-${kind.replaceAll('-', '_')}`,
  ])

  test.each(variants)('X001 X002 X003 T-IMP-1 %s is refused', async (name) => {
    for (const [via, method] of [
      [rig, 'GET'],
      [rig, 'POST'],
      [rig, 'DELETE'],
      [token, 'GET'],
    ] as const)
      expectRefused(await withHeaders([`${name}: root`], via, method), 403)
    expectRefused(await withHeaders([`${name}: root`, `${name}: system:masters`]), 403)
    expect(rig.problems.at(-1)?.error.code).toBe('ERR_REQUEST_IMPERSONATION')
  })

  test('discovery, which kubectl reads without decoding a Status, gets the text', async () => {
    const accept = 'Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const answer = await withHeaders([accept, 'Impersonate-User: root'])
    expect(status(answer)).toBe(403)
    expect(answer).toMatch(/\r\nContent-Type: text\/plain/i)
    expect(answer.split('\r\n\r\n')[1]).toMatch(/^sallyport: impersonation is not supported.*--as/)
    expect(recorder.heads).toBe(0)
  })

  test.each(['Impersonate-Group : a', 'Impersonate-Group\t: a', ' Impersonate-Group: a'])(
    'X002 %j never goes upstream',
    async (line) => {
      expect(status(await withHeaders([line]))).toBe(400)
      expect(recorder.heads).toBe(0)
    },
  )

  test.each([
    ['Connection: Impersonate-User'],
    ['Connection: close, impersonate-user'],
    ['Connection: close', 'Connection: impersonate-user'],
    ['connection: keep-alive', 'Connection: keep-alive'],
    ['Connection: Authorization'],
    ['Connection: Host'],
    ['Connection: Content-Length'],
    ['Connection: x, close'],
    ['Connection:'],
    ['Connection: ,'],
  ])('X004 X005 T-HOP-1 %s %s is refused', async (...lines) => {
    expectRefused(await withHeaders(lines), 400)
  })

  test.each([
    'Proxy-Connection: Impersonate-User',
    'Keep-Alive: Impersonate-User',
    'TE: Impersonate-User',
    'Trailer: Impersonate-User',
    'Connection: keep-alive',
  ])('T-HOP-1 %s takes nothing from the identity', async (line) => {
    await withHeaders([line])
    expect(recorder.connections[0]?.match(/\r\nImpersonate-User: [^\r\n]+\r\n/g)).toHaveLength(1)
    expect(recorder.bytes).toContain(identityBlock)
  })

  test('X006 trailers are dropped', async () => {
    await exchange(
      `${requestLine('POST')}Transfer-Encoding: chunked\r\nTrailer: Impersonate-Group\r\n\r\n1\r\na\r\n0\r\nImpersonate-Group: system:masters\r\n\r\n`,
    )
    expect(recorder.heads).toBe(1)
    expect(recorder.bytes).not.toMatch(/trailer|system:masters/i)
  })

  test.each([
    'X-Remote-User: root',
    'X-Remote-Group: system:masters',
    'X-Remote-Extra-a: b',
    'X_Remote_User: root',
    'X-Forwarded-For: 1.2.3.4',
    'X-Forwarded-Host: evil',
    'X-Forwarded-Proto: http',
    'X-Forwarded-Uri: /x',
    'Forwarded: for=1.2.3.4',
    'X-Original-URL: /secret',
    'X-HTTP-Method-Override: DELETE',
    'Cookie: session=root',
    'Proxy-Authorization: Basic eDp5',
    'Audit-ID: mine',
    '__proto__: root',
    'Accept_Encoding: root',
  ])('X007 X008 X010 %s is dropped', async (line) => {
    expect(status(await withHeaders([line]))).toBe(200)
    const [name = '', value = ''] = line.split(': ')
    expect(recorder.bytes.toLowerCase()).not.toContain(
      `${name.toLowerCase()}: ${value.toLowerCase()}`,
    )
  })

  test.each([['Basic eDp5'], ['Bearer '], ['Bearer user-token']])(
    'X009 Authorization %j is not forwarded when impersonating',
    async (value) => {
      await withHeaders([`Authorization: ${value}`])
      expect(recorder.bytes.match(/authorization: .*/gi)).toEqual([
        'Authorization: Bearer agent-own-token',
      ])
    },
  )

  test('X009 two Authorization headers are refused', async () => {
    expectRefused(await withHeaders(['Authorization: Bearer a', 'authorization: Bearer b']), 400)
  })

  test('M17 br is not asked for', async () => {
    await withHeaders(['Accept-Encoding: gzip, br;q=1, deflate'])
    await withHeaders(['Accept-Encoding: br'])
    expect(recorder.bytes.match(/accept-encoding: .*/gi)).toEqual([
      'Accept-Encoding: gzip, deflate',
    ])
  })

  test('X-Stream-Protocol-Version may stand on several lines', async () => {
    await withHeaders([
      'X-Stream-Protocol-Version: v5.channel.k8s.io',
      'X-Stream-Protocol-Version: v4.channel.k8s.io',
    ])
    expect(recorder.bytes).toContain(
      'X-Stream-Protocol-Version: v5.channel.k8s.io\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n',
    )
  })

  test.each(['Content-Type: a/b', 'User-Agent: x', 'Range: bytes=0-1', 'If-Match: "a"'])(
    'M5 two lines of %s are refused',
    async (line) => {
      expectRefused(await withHeaders([line, line]), 400)
    },
  )
})

describe('pass-through with the caller’s token', () => {
  test('forwards the token and adds no identity and no credential', async () => {
    await withHeaders(['Authorization: Bearer user-token'], token)
    expect(recorder.bytes).toMatch(/\r\nAuthorization: Bearer user-token\r\n\r\n$/)
    expect(recorder.bytes).not.toMatch(/impersonate|agent-own-token/i)
  })

  test.each([
    [[]],
    [['Authorization:']],
    [['Authorization: Bearer']],
    [['Authorization: Bearer    ']],
    [['Authorization: Bearer   f']],
    [['Authorization: Basic eDp5']],
    [['Authorization: Bearer a b']],
  ])('X058 T-SA-1 %j gets 401 and reaches nothing', async (lines) => {
    expectRefused(await withHeaders(lines, token), 401)
  })
})

describe('answers about the agent, not the user', () => {
  test('401 to the agent’s own credential becomes 502', async () => {
    recorder.answer = () => 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'
    const answer = await withHeaders([])
    expect(status(answer)).toBe(502)
    expect(rig.problems.at(-1)?.error.code).toBe('ERR_UPSTREAM_AUTH')
    expect(status(await withHeaders(['Authorization: Bearer t'], token))).toBe(401)
  })

  test('X057 "cannot impersonate" becomes 502 with advice, any other 403 passes unchanged', async () => {
    const forbid = (message: string) => (): string => {
      const body = JSON.stringify({ kind: 'Status', message, code: 403 })
      return `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    }
    recorder.answer = forbid(
      'users "x" is forbidden: User "agent" cannot impersonate resource "users" in API group "" at the cluster scope',
    )
    const refused = await withHeaders([])
    expect(status(refused)).toBe(502)
    expect(refused).toContain('grant the agent the verb impersonate')
    recorder.answer = forbid('pods is forbidden: User "x" cannot list resource "pods"')
    const passed = await withHeaders([])
    expect(status(passed)).toBe(403)
    expect(passed).toMatch(/cannot list resource \\"pods\\""?,"code":403\}$/)
  })

  test('X056 an agent without a readable token answers 502 and reaches nothing', async () => {
    const bare = makeRig({
      address: addressOf(recorder.port, recorder.certificate),
      credential: { tokenFile: '/nonexistent/token' },
    })
    expectRefused(await withHeaders([], bare), 502)
    bare.close()
  })
})
