import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { makeCertificate } from '../rig/certificate.ts'
import { addressOf, makeRig, type Rig } from '../rig/rig.ts'

let server: Server
let rig: Rig
let handle: (request: IncomingMessage, response: ServerResponse) => void

beforeAll(async () => {
  const { certificate, key } = await makeCertificate('kube-apiserver')
  server = createServer({ cert: certificate, key }, (request, response) => {
    handle(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  rig = makeRig({ address: addressOf((server.address() as AddressInfo).port, certificate) })
})
afterEach(() => {
  expect(rig.violations).toEqual([])
})
afterAll(async () => {
  rig.close()
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
})

const get = (target: string, more = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`

test('a watch shows its head before the first event, and each event at once', async () => {
  let events: ServerResponse | undefined
  handle = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    events = response
  }
  const end = rig.open()
  end.write(get('/api/v1/pods?watch=true'))
  await end.until((text) => text.includes('\r\n\r\n'))
  events?.write('{"type":"ADDED"}\n')
  await end.until((text) => text.includes('{"type":"ADDED"}\n'))
  events?.write('{"type":"DELETED"}\n')
  await end.until((text) => text.includes('{"type":"DELETED"}\n'))
  end.stream.destroy()
})

test('the end of the client cancels a watch upstream at once', async () => {
  let closed: Promise<unknown> = Promise.resolve()
  handle = (request, response) => {
    closed = once(request.socket, 'close')
    response.writeHead(200).flushHeaders()
  }
  for (const leave of ['destroy', 'end'] as const) {
    const end = rig.open()
    end.write(get('/api/v1/pods?watch=true'))
    await end.until((text) => text.includes('\r\n\r\n'))
    end.stream[leave]()
    await closed
  }
})

test('the end of the client before the answer cancels the request', async () => {
  let closed: Promise<unknown> | undefined
  handle = (request) => {
    closed = once(request.socket, 'close')
  }
  const end = rig.open()
  end.write(get('/api/v1/pods'))
  await expect.poll(() => closed !== undefined).toBe(true)
  end.stream.destroy()
  await closed
})

test.each(['Content-Length: 100', 'Transfer-Encoding: chunked'])(
  'an upstream that dies in its body (%s) breaks the stream, never a clean end',
  async (header) => {
    handle = (_, response) => {
      const [name = '', value = ''] = header.split(': ')
      response.writeHead(200, { [name]: value })
      response.write('half')
      setImmediate(() => response.socket?.destroy())
    }
    const end = rig.open()
    end.write(get('/api/v1/pods'))
    await expect.poll(() => end.broken).toBe(true)
    expect(end.received).not.toMatch(/\r\n0\r\n\r\n$/)
  },
)

test('large bodies arrive whole in both directions', async () => {
  handle = (request, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    request.pipe(response)
  }
  const body = Buffer.alloc(8 << 20, 'abcdefgh').toString('latin1')
  const end = rig.open()
  end.write(
    `POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  for (let at = 0; at < body.length; at += 65_536) end.write(body.slice(at, at + 65_536))
  const answer = await end.end(20_000)
  const text = answer
    .slice(answer.indexOf('\r\n\r\n') + 4)
    .replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '')
  expect(text.replace(/\r\n$/, '') === body).toBe(true)
})

test('a slow reader stops the upstream; other streams go on', async () => {
  let written = 0
  handle = (request, response) => {
    if (request.url === '/quick') {
      response.end('quick')
      return
    }
    const chunk = Buffer.alloc(1 << 20)
    const more = (): void => {
      while (written < 300) {
        written++
        if (!response.write(chunk)) {
          response.once('drain', more)
          return
        }
      }
      response.end()
    }
    more()
  }
  const slow = rig.open()
  slow.stream.pause()
  slow.write(get('/big'))
  await expect.poll(() => written).toBeGreaterThan(0)
  const quick = rig.open()
  quick.write(get('/quick'))
  await quick.until((text) => text.includes('quick'))
  // The counter stands still: two readings with whole exchanges between them.
  let before = -1
  await expect
    .poll(
      () => {
        const same = before === written
        before = written
        return same
      },
      { interval: 200, timeout: 5_000 },
    )
    .toBe(true)
  expect(written).toBeLessThan(64)
  slow.stream.destroy()
})

test('an answer before the end of the body reaches the client and ends the connection', async () => {
  handle = (_, response) => {
    response.writeHead(413, { 'content-type': 'text/plain' })
    response.end('too large')
  }
  const end = rig.open()
  end.write(
    `POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n${'x'.repeat(1000)}`,
  )
  const answer = await end.end()
  expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*connection: close[^]*too large/i)
})

test.each([
  {
    what: 'HEAD with a length',
    method: 'HEAD',
    status: 200,
    headers: { 'content-length': '42' },
    expected: /content-length: 42\r\n[^]*\r\n\r\n$/i,
  },
  {
    what: '204',
    method: 'DELETE',
    status: 204,
    headers: {},
    expected: /^HTTP\/1\.1 204 [^]*\r\n\r\n$/,
  },
  {
    what: '304',
    method: 'GET',
    status: 304,
    headers: { etag: '"a"' },
    expected: /^HTTP\/1\.1 304 [^]*etag: "a"[^]*\r\n\r\n$/,
  },
])('$what has no body and keeps the connection', async (row) => {
  handle = (request, response) => {
    if (request.url === '/next') response.end('next')
    else response.writeHead(row.status, row.headers).end()
  }
  const end = rig.open()
  end.write(`${row.method} /x HTTP/1.1\r\nHost: a\r\n\r\n`)
  const first = await end.until((text) => text.includes('\r\n\r\n'))
  expect(first).toMatch(row.expected)
  expect(first).not.toMatch(/transfer-encoding/i)
  end.write(get('/next'))
  await end.until((text) => text.endsWith('next') || text.includes('next\r\n'))
  end.stream.destroy()
})

test('hop-by-hop headers, cookies and trailers of the answer stay here', async () => {
  handle = (_, response) => {
    response.writeHead(200, {
      'x-kept': 'yes',
      'set-cookie': ['a=b', 'c=d'],
      'proxy-authenticate': 'Basic',
      'alt-svc': 'h3=":443"',
      trailer: 'x-late',
    })
    response.write('a')
    response.addTrailers({ 'x-late': 'trailer' })
    response.end()
  }
  const end = rig.open()
  end.write(get('/x', 'Connection: close\r\n'))
  const answer = await end.end()
  expect(answer).toMatch(/x-kept: yes/)
  expect(answer).not.toMatch(/set-cookie|proxy-authenticate|alt-svc|x-late/i)
})

test('103 Early Hints are not taken for the answer', async () => {
  handle = (_, response) => {
    response.writeEarlyHints({ link: '</a>; rel=preload' })
    response.end('real')
  }
  const end = rig.open()
  end.write(get('/x'))
  await end.until((text) => text.includes('real'))
  expect(end.received).toMatch(/^HTTP\/1\.1 200 /)
  expect(end.received.match(/HTTP\/1\.1/g)).toHaveLength(1)
  end.stream.destroy()
})

test('T-RED-1 a redirect is returned, not followed', async () => {
  let calls = 0
  handle = (_, response) => {
    calls++
    response.writeHead(307, { location: '/elsewhere', 'content-length': '0' }).end()
  }
  const end = rig.open()
  end.write(get('/x'))
  expect(await end.answer()).toMatch(/^HTTP\/1\.1 307 [^]*location: \/elsewhere/)
  expect(calls).toBe(1)
  end.stream.destroy()
})

test('a kept connection that broke is tried once more for GET, never for POST (X155)', async () => {
  const seen: string[] = []
  handle = (request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''}`)
    if (request.url === '/warm') response.end('warm')
    else if (seen.filter((line) => line.endsWith(request.url ?? '')).length === 1)
      request.socket.destroy()
    else response.end('second')
  }
  const end = rig.open()
  end.write(get('/warm'))
  await end.until((text) => text.includes('warm'))
  end.write(get('/get'))
  await end.until((text) => text.includes('second'))
  end.write('POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx')
  await end.until((text) => text.includes('502 Bad Gateway'))
  end.write('DELETE /delete HTTP/1.1\r\nHost: a\r\n\r\n')
  await end.until((text) => text.split('502 Bad Gateway').length === 3)
  expect(seen).toEqual(['GET /warm', 'GET /get', 'GET /get', 'POST /post', 'DELETE /delete'])
  end.stream.destroy()
})

test('an unreachable API server is a 502 Status with our request id', async () => {
  const gone = makeRig({ address: addressOf(1, 'x') })
  const end = gone.open()
  end.write(get('/api'))
  const answer = await end.answer()
  expect(answer).toMatch(/^HTTP\/1\.1 502 [^]*"kind":"Status"[^]*ERR_UPSTREAM_UNREACHABLE/)
  expect(answer).toMatch(/Audit-Id: 11111111-2222-4333-8444-555555555555\.1\r\n/)
  end.stream.destroy()
  gone.close()
})

test('a certificate of another authority is refused', async () => {
  const other = await makeCertificate('mallory')
  const address = addressOf((server.address() as AddressInfo).port, other.certificate)
  for (const mode of ['impersonating', 'pass-through'] as const) {
    let calls = 0
    handle = (_, response) => {
      calls++
      response.end()
    }
    const wrong = makeRig({ address, mode })
    const end = wrong.open()
    end.write(get('/api', 'Authorization: Bearer t\r\n'))
    expect(await end.answer()).toMatch(/^HTTP\/1\.1 502 /)
    expect(calls).toBe(0)
    end.stream.destroy()
    wrong.close()
  }
})
