import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Recorder } from '../rig/recorder.ts'
import { addressOf, makeRig, oid, type Rig } from '../rig/rig.ts'

let recorder: Recorder
let rig: Rig
let token: Rig

beforeAll(async () => {
  recorder = await Recorder.start()
  const address = addressOf(recorder.port, recorder.certificate)
  rig = makeRig({ address })
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

const key = 'dGhlIHNhbXBsZSBub25jZQ=='
const accept = createHash('sha1')
  .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64')
const target = '/api/v1/namespaces/default/pods/box/exec?command=sh&stdin=true'

const spdy = (method = 'POST'): string =>
  `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n` +
  'X-Stream-Protocol-Version: v4.channel.k8s.io\r\nX-Stream-Protocol-Version: v3.channel.k8s.io\r\n\r\n'
const webSocket = (): string =>
  `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n'

const spdySwitch =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n'
const webSocketSwitch = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n`

describe('a 101', () => {
  test('keeps the bytes around both heads, in both directions, with half-close', async () => {
    recorder.answer = (_, socket) => {
      socket.on('end', () => socket.end('last words'))
      return `${spdySwitch}early-from-server`
    }
    const end = rig.open()
    end.write(`${spdy()}early-from-client`)
    await end.until((text) => text.endsWith('early-from-server'))
    expect(end.received).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nearly-from-server',
    )
    end.write('more')
    await expect.poll(() => recorder.bytes).toMatch(/\r\n\r\nearly-from-clientmore$/)
    end.stream.end()
    expect(await end.end()).toMatch(/early-from-serverlast words$/)
  })

  test('the upgrade request carries the identity, one agent token and both protocol versions', async () => {
    recorder.answer = () => spdySwitch
    const end = rig.open()
    end.write(spdy())
    await end.until((text) => text.includes('\r\n\r\n'))
    const [head = ''] = recorder.connections
    expect(head).toMatch(
      /^POST \/api\/v1\/namespaces\/default\/pods\/box\/exec\?command=sh&stdin=true HTTP\/1\.1\r\n/,
    )
    expect(head).toContain(
      'X-Stream-Protocol-Version: v4.channel.k8s.io\r\nX-Stream-Protocol-Version: v3.channel.k8s.io\r\n',
    )
    expect(head.match(/\r\nImpersonate-User: .*/g)).toEqual([`\r\nImpersonate-User: ${oid}`])
    expect(head.match(/\r\nAuthorization: .*/g)).toEqual([
      '\r\nAuthorization: Bearer agent-own-token',
    ])
    expect(head.match(/\r\nConnection: .*/gi)).toEqual(['\r\nConnection: Upgrade'])
    expect(head.match(/\r\nContent-Length: .*/gi)).toEqual(['\r\nContent-Length: 0'])
    end.stream.destroy()
  })

  test('WebSocket works', async () => {
    recorder.answer = () => webSocketSwitch
    const end = rig.open()
    end.write(webSocket())
    await end.until((text) => text.includes('\r\n\r\n'))
    expect(end.received).toContain(`Sec-WebSocket-Accept: ${accept}\r\n`)
    end.write('frame')
    await expect.poll(() => recorder.bytes).toMatch(/frame$/)
    end.stream.destroy()
  })

  test('the end of one side by reset ends the other', async () => {
    recorder.answer = () => spdySwitch
    const end = rig.open()
    end.write(spdy())
    await end.until((text) => text.includes('101'))
    const [socket] = recorder.sockets
    end.stream.destroy()
    await expect.poll(() => socket?.destroyed).toBe(true)
    const other = rig.open()
    other.write(spdy())
    await other.until((text) => text.includes('101'))
    for (const upstream of recorder.sockets) upstream.destroy()
    await other.end()
    expect(other.stream.destroyed || other.ended).toBe(true)
  })

  test('a slow reader stops the writer', async () => {
    recorder.answer = () => spdySwitch
    const end = rig.open()
    end.write(spdy())
    await end.until((text) => text.includes('101'))
    end.stream.pause()
    const [socket] = recorder.sockets
    const chunk = Buffer.alloc(1 << 20)
    let written = 0
    await new Promise<void>((resolve) => {
      const more = (): void => {
        while (written < 256 && socket?.write(chunk) === true) written++
        written++
        const waited = setTimeout(resolve, 300)
        socket?.once('drain', () => {
          clearTimeout(waited)
          if (written < 256) more()
          else resolve()
        })
      }
      more()
    })
    expect(written).toBeLessThan(64)
    end.stream.destroy()
  })
})

describe('T-UPG-1 anything but a right 101', () => {
  const pipelined = 'GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\n\r\n'

  test.each([
    ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 200],
    ['404', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 404],
    ['302', 'HTTP/1.1 302 Found\r\nLocation: https://evil/\r\nContent-Length: 0\r\n\r\n', 302],
    ['400', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad', 400],
    ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', 403],
    ['500', 'HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n', 500],
    ['garbage', 'SSH-2.0-OpenSSH\r\n\r\n', 502],
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      502,
    ],
    ['a 101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 502],
  ])(
    'X121 X122 %s: a clean answer, both connections closed, pipelined bytes stay here',
    async (_, answer, code) => {
      recorder.answer = () => answer
      const end = rig.open()
      end.write(spdy() + pipelined)
      const text = await end.end()
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${code} `))
      expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
      expect(text).toMatch(/connection: close/i)
      await expect.poll(() => recorder.sockets.size).toBe(0)
      expect(recorder.bytes).not.toContain('secrets')
      expect(recorder.heads).toBe(1)
    },
  )

  test('X122 half a head, then the end', async () => {
    recorder.answer = (_, socket) => {
      socket.end('HTTP/1.1 101 Switching')
      return undefined
    }
    const end = rig.open()
    end.write(spdy() + pipelined)
    expect(await end.end()).toMatch(/^HTTP\/1\.1 502 /)
    expect(recorder.bytes).not.toContain('secrets')
  })

  test.each([
    ['without Sec-WebSocket-Accept', webSocketSwitch.replace(/Sec-WebSocket-Accept: .*\r\n/, '')],
    ['with a wrong Sec-WebSocket-Accept', webSocketSwitch.replace(accept, 'AAAA')],
    ['to SPDY', spdySwitch],
  ])('X122 T-UPG-1 a WebSocket 101 %s is refused', async (_, answer) => {
    recorder.answer = () => answer
    const end = rig.open()
    end.write(webSocket() + pipelined)
    expect(await end.end()).toMatch(/^HTTP\/1\.1 502 /)
    await expect.poll(() => recorder.sockets.size).toBe(0)
    expect(recorder.bytes).not.toContain('secrets')
  })

  test('an answer longer than the head arrives whole', async () => {
    const body = 'x'.repeat(300_000)
    recorder.answer = () =>
      `HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const end = rig.open()
    end.write(spdy())
    expect((await end.end()).endsWith(`\r\n\r\n${body}`)).toBe(true)
  })

  test('an answer cut in its body is not made to look whole', async () => {
    recorder.answer = (_, socket) => {
      socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf')
      socket.end()
      return undefined
    }
    const end = rig.open()
    end.write(spdy())
    await end.end()
    await expect.poll(() => end.broken).toBe(true)
  })

  test('X121 401 to the agent’s own credential becomes 502', async () => {
    recorder.answer = () => 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'
    const end = rig.open()
    end.write(spdy())
    expect(await end.end()).toMatch(/^HTTP\/1\.1 502 [^]*ERR_UPSTREAM_AUTH/)
  })
})

describe('refused before anything is sent', () => {
  const upgrade = (lines: string, method = 'GET'): string =>
    `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines}\r\n`

  test.each([
    ['h2c', upgrade('Connection: Upgrade\r\nUpgrade: h2c\r\n'), 400],
    ['a list', upgrade('Connection: Upgrade\r\nUpgrade: websocket, SPDY/3.1\r\n'), 400],
    [
      'two lines',
      upgrade('Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n'),
      400,
    ],
    ['SPDY/2', upgrade('Connection: Upgrade\r\nUpgrade: SPDY/2\r\n'), 400],
    ['TLS/1.0', upgrade('Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n'), 400],
    [
      'Connection with more',
      upgrade('Connection: Upgrade, Impersonate-User\r\nUpgrade: websocket\r\n'),
      400,
    ],
    ['Upgrade without Connection', upgrade('Upgrade: websocket\r\n'), 400],
    ['Connection without Upgrade', upgrade('Connection: Upgrade\r\n'), 400],
    ['PUT', upgrade('Connection: Upgrade\r\nUpgrade: websocket\r\n', 'PUT'), 405],
    [
      'a body',
      upgrade('Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 3\r\n', 'POST') + 'abc',
      400,
    ],
    [
      'a chunked body',
      upgrade(
        'Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nTransfer-Encoding: chunked\r\n',
        'POST',
      ) + '0\r\n\r\n',
      400,
    ],
    [
      'impersonation',
      upgrade('Connection: Upgrade\r\nUpgrade: websocket\r\nImpersonate-User: root\r\n'),
      403,
    ],
    [
      'a bad path',
      upgrade('Connection: Upgrade\r\nUpgrade: websocket\r\n').replace('/api', '/api/..'),
      400,
    ],
    ['HTTP/1.0', upgrade('Connection: Upgrade\r\nUpgrade: h2c\r\n').replace('1.1', '1.0'), 400],
    ['no Host', 'GET /api HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 400],
  ])('X123 T-UPG-2 T-IMP-1 %s', async (_, bytes, code) => {
    const end = rig.open()
    end.write(bytes)
    const answer = await end.end()
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${code} `))
    expect(recorder.connections).toHaveLength(0)
  })

  test('T-SA-1 pass-through without a token', async () => {
    const end = token.open()
    end.write(spdy())
    expect(await end.end()).toMatch(/^HTTP\/1\.1 401 /)
    expect(recorder.connections).toHaveLength(0)
  })

  test('an upgrade behind an unfinished answer ends the connection', async () => {
    recorder.answer = () => undefined
    const end = rig.open()
    end.write(`GET /api HTTP/1.1\r\nHost: a\r\n\r\n${spdy()}`)
    await end.end()
    expect(recorder.bytes).not.toContain('SPDY')
  })
})

test('a client that leaves before the answer leaves nothing behind', async () => {
  recorder.answer = () => undefined
  const end = rig.open()
  end.write(spdy())
  await expect.poll(() => recorder.heads).toBe(1)
  end.stream.destroy()
  await expect.poll(() => recorder.sockets.size).toBe(0)
})
