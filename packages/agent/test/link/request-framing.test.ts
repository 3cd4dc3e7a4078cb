import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { exchange as exchangeWith, requestLine, status } from '../rig/exchange.ts'
import { ok, Recorder } from '../rig/recorder.ts'
import { addressOf, makeRig, type Rig } from '../rig/rig.ts'

let recorder: Recorder
let rig: Rig

beforeAll(async () => {
  recorder = await Recorder.start()
  const address = addressOf(recorder.port, recorder.certificate)
  rig = makeRig({ address, groups: ['b', 'a'] })
})
beforeEach(() => {
  recorder.reset()
  rig.problems.length = 0
})
afterAll(async () => {
  rig.close()
  await recorder.close()
})

const exchange = (bytes: string, via = rig): Promise<string> => exchangeWith(via, bytes)

/** What a request with these extra header lines brings. */
async function withHeaders(lines: string[], via = rig, method = 'GET'): Promise<string> {
  return exchange(`${requestLine(method)}${lines.map((line) => `${line}\r\n`).join('')}\r\n`, via)
}

describe('framing', () => {
  test.each([
    'Content-Length: 3\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 3',
    'Content-Length: 3\r\nContent-Length: 4',
    'Content-Length: 3\r\nContent-Length: 3',
    'Content-Length: +4',
    'Content-Length: 4,4',
    'Content-Length: 0x4',
    'Content-Length: -1',
    'Content-Length: 18446744073709551616',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: identity, chunked',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: Chunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding : chunked',
    'Transfer-Encoding:\u000bchunked',
  ])('X011 X012 T-SMUG-1 %j is refused and ends the connection', async (lines) => {
    const end = rig.open()
    end.write(`${requestLine('POST')}${lines}\r\n\r\nabcd`)
    const answer = await end.end()
    expect(status(answer)).toBe(400)
    expect(answer).toMatch(/connection: close/i)
    expect(recorder.heads).toBe(0)
  })

  test.each([
    ['LF-only chunk ends', '3\nabc\n0\n\n'],
    ['a chunk size of 17 digits', '10000000000000003\r\nabc\r\n0\r\n\r\n'],
    ['a negative chunk size', '-1\r\nabc\r\n0\r\n\r\n'],
    ['a chunk extension of 1 MiB', `3;${'x'.repeat(1 << 20)}\r\nabc\r\n0\r\n\r\n`],
  ])('X013 %s is never a whole request upstream', async (_, body) => {
    const end = rig.open()
    end.write(`${requestLine('POST')}Transfer-Encoding: chunked\r\n\r\n${body}`)
    await end.end()
    // The head may have left before the body was seen to be broken; its end never does.
    expect(recorder.bytes).not.toMatch(/\r\n0\r\n\r\n$/)
  })

  test('X014 an honest Expect: 100-continue works once and is not forwarded', async () => {
    const end = rig.open()
    end.write(`${requestLine('POST')}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`)
    await end.until((text) => text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'))
    end.write('hello')
    const answer = await end.until((text) => text.includes('200 OK'))
    expect(answer.match(/100 Continue/g)).toHaveLength(1)
    expect(recorder.bytes).toMatch(/content-length: 5\r\n\r\nhello$/)
    expect(recorder.bytes).not.toMatch(/expect/i)
  })

  test.each(['200-ok', '100-continue, 100-continue', ' y 100-continue'])(
    'X015 Expect: %s gets 417 and ends the connection',
    async (value) => {
      const end = rig.open()
      end.write(
        `${requestLine('POST')}Expect: ${value}\r\nContent-Length: 3\r\n\r\nabc${requestLine()}\r\n`,
      )
      const answer = await end.end()
      expect(status(answer)).toBe(417)
      expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
      expect(recorder.heads).toBe(0)
    },
  )

  test.each(['X-A: b\r\n c', 'X-A : b', 'X-A: a\rb', 'X-A: a\u0000b', 'X-\u00e4: b', 'X-A', ': b'])(
    'X016 %j is refused',
    async (line) => {
      const end = rig.open()
      end.write(`${requestLine()}${line}\r\n\r\n`)
      expect(status(await end.end())).toBe(400)
      expect(recorder.heads).toBe(0)
    },
  )

  test.each([
    ['two Host headers', 'Host: a\r\nHost: a\r\n'],
    ['no Host header', ''],
    ['a Host with user part', 'Host: a@b\r\n'],
    ['IPv6 junk', 'Host: [::zz]\r\n'],
    ['a Host with a path', 'Host: a/b\r\n'],
    ['an empty Host', 'Host:\r\n'],
  ])('X017 %s is refused', async (_, host) => {
    const end = rig.open()
    end.write(`GET /api HTTP/1.1\r\n${host}\r\n`)
    expect(status(await end.end())).toBe(400)
    expect(recorder.heads).toBe(0)
  })

  test('X017 a foreign Host changes nothing upstream', async () => {
    await exchange('GET /api HTTP/1.1\r\nHost: evil.example:80\r\n\r\n')
    expect(recorder.bytes).toContain(`\r\nhost: 127.0.0.1:${recorder.port}\r\n`)
    expect(recorder.bytes).not.toContain('evil')
  })

  test('X018 201 headers, too many bytes of headers and one header of 64 KiB get 431; 60 KiB pass', async () => {
    const many = Array.from({ length: 200 }, (_, index) => `X-${index}: a`)
    expect(status(await withHeaders(many))).toBe(431)
    expect(status(await withHeaders(Array.from({ length: 2100 }, (_, i) => `X-${i}: a`)))).toBe(431)
    expect(status(await withHeaders([`X-A: ${'a'.repeat(64 * 1024)}`]))).toBe(431)
    expect(recorder.heads).toBe(0)
    expect(status(await withHeaders(many.slice(1)))).toBe(200)
    expect(status(await withHeaders([`X-A: ${'a'.repeat(60 * 1024)}`]))).toBe(200)
  })

  test.each([
    ['TRACE / HTTP/1.1', 405],
    ['CONNECT 127.0.0.1:443 HTTP/1.1', 405],
    ['PURGE /api HTTP/1.1', 405],
    ['PRI * HTTP/2.0', 400],
    ['get /api HTTP/1.1', 400],
    [`${'A'.repeat(40)} /api HTTP/1.1`, 400],
    ['GET\t/api HTTP/1.1', 400],
    ['GET /api HTTP/3.0', 400],
    ['GET /api', 400],
  ])('X019 %j gets %i', async (line, code) => {
    const end = rig.open()
    end.write(`${line}\r\nHost: a\r\n\r\n`)
    expect(status(await end.end())).toBe(code)
    expect(recorder.heads).toBe(0)
  })
})

test('HTTP/1.0 gets a closed connection and no chunks', async () => {
  recorder.answer = () =>
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n'
  const end = rig.open()
  end.write('GET /api HTTP/1.0\r\n\r\n')
  const answer = await end.end()
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n\r\nab$/i)
  expect(answer).not.toMatch(/transfer-encoding/i)
})

test('pipelined requests are answered one after the other, in order', async () => {
  const arrived: string[] = []
  const open: (() => void)[] = []
  recorder.answer = (head, socket) => {
    const target = head.split(' ')[1] ?? ''
    arrived.push(target)
    open.push(() => socket.write(ok(JSON.stringify(target))))
    return undefined
  }
  const end = rig.open()
  end.write(
    `${requestLine('GET', '/1')}\r\n${requestLine('GET', '/2')}\r\n${requestLine('GET', '/3')}\r\n`,
  )
  for (const [index, target] of ['/1', '/2', '/3'].entries()) {
    await expect.poll(() => arrived.length).toBe(index + 1)
    expect(arrived[index]).toBe(target)
    open[index]?.()
  }
  const answer = await end.until((text) => text.includes('"/3"'))
  expect(answer.match(/"\/\d"/g)).toEqual(['"/1"', '"/2"', '"/3"'])
  end.stream.destroy()
})

test('X176 a head that does not end is cut off; a slow body and a silent watch are not', async () => {
  const slow = makeRig({
    address: addressOf(recorder.port, recorder.certificate),
    headersTimeoutMs: 200,
  })
  recorder.answer = (head) => (head.includes('watch') ? 'HTTP/1.1 200 OK\r\n\r\n' : undefined)
  const watch = slow.open()
  watch.write(`${requestLine('GET', '/api?watch=true')}\r\n`)
  const body = slow.open()
  body.write(`${requestLine('POST')}Content-Length: 5\r\n\r\nab`)
  await expect.poll(() => recorder.heads).toBe(2)
  const silent = slow.open()
  const head = slow.open()
  head.write(requestLine())
  expect(status(await head.end())).toBe(408)
  expect(status(await silent.end())).toBe(408)
  expect(watch.broken || watch.ended || body.broken || body.ended).toBe(false)
  expect(recorder.heads).toBe(2)
  slow.close()
  watch.stream.destroy()
  body.stream.destroy()
})
