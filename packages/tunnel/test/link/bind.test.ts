/**
 * The bind: first, bounded, renewable, and the only way to streams.
 * @module
 */
import * as http2 from 'node:http2'
import * as tls from 'node:tls'
import { SallyportError, bindPath, limits } from '@sallyport/protocol'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { acceptAgentLink, type BindDecision } from '../../src/index.ts'
import { foreignClient, send } from './foreign-client.ts'
import {
  closePair,
  inSeconds,
  linkPair,
  makeIdentities,
  tcpPair,
  type Identities,
} from './link-pair.ts'

let ids: Identities
beforeAll(async () => {
  ids = await makeIdentities()
})
afterEach(() => {
  vi.useRealTimers()
})

const signal = new AbortController().signal
const refuse =
  (error: Error): BindDecision =>
  () =>
    Promise.reject(error)

const bindHeaders = { ':method': 'POST', ':path': bindPath }
const connectHeaders = { ':method': 'CONNECT', ':authority': 'kubernetes', 'sallyport-stream': '1' }
const bindBody = JSON.stringify({ v: 1, token: 't', client: 'x' })

const { NGHTTP2_PROTOCOL_ERROR, NGHTTP2_NO_ERROR } = http2.constants

describe('before an accepted bind', () => {
  it.each([
    ['CONNECT', connectHeaders],
    ['GET', { ':method': 'GET', ':path': '/' }],
    ['POST elsewhere', { ':method': 'POST', ':path': '/sallyport/v1/other' }],
  ])('%s is refused and ends the link', async (_name, headers) => {
    const { session, agent } = await foreignClient(ids)
    const { reset, status } = await send(session, headers)
    expect(status).toBeUndefined()
    expect(reset).not.toBe(NGHTTP2_NO_ERROR)
    expect(await agent.closed).toMatchObject({ error: { code: 'ERR_LINK_HANDSHAKE' } })
  })

  it('the link ends when no bind comes in time', async () => {
    const pair = await tcpPair()
    const onBindError = vi.fn()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const socket = tls.connect({
      socket: pair.client,
      cert: ids.client.certificate,
      key: ids.client.privateKey,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    })
    const agent = await acceptAgentLink(pair.agent, {
      identity: ids.agent,
      bind: refuse(new Error('never asked')),
      signal,
      onBindError,
    })
    vi.advanceTimersByTime(limits.bindTimeoutMs)
    vi.useRealTimers()
    expect(await agent.closed).toMatchObject({ error: { code: 'ERR_TIMEOUT' } })
    expect(onBindError).toHaveBeenCalledOnce()
    socket.destroy()
  })

  it.each([
    ['not JSON', '{'],
    ['of another shape', '{"v":1}'],
    ['too large', JSON.stringify({ v: 1, token: 'x'.repeat(limits.bindBodyBytes), client: '' })],
  ])('a body that is %s is refused with a code and the time of the agent', async (_name, body) => {
    const { session, agent } = await foreignClient(ids)
    const answer = await send(session, bindHeaders, body)
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toMatchObject({
      code: 'ERR_REQUEST_INVALID',
      serverTime: expect.any(Number) as number,
    })
    await agent.closed
  })
})

describe('after an accepted bind', () => {
  const bound = async () => {
    const taken: number[] = []
    const made = await foreignClient(ids, {
      bind: () =>
        Promise.resolve({
          sessionId: 's',
          expiresAt: inSeconds(60),
          onStream: ({ id, stream }) => {
            taken.push(id)
            stream.on('error', () => undefined)
          },
        }),
    })
    expect(await send(made.session, bindHeaders, bindBody)).toMatchObject({ status: 200 })
    const end = async () => {
      made.agent.destroy()
      made.session.destroy()
      await made.agent.closed
    }
    return { ...made, taken, end }
  }

  it.each([
    ['another authority', { ...connectHeaders, ':authority': 'kubernetes:443' }],
    ['a host behind the agent', { ...connectHeaders, ':authority': '169.254.169.254:80' }],
    ['no stream id', { ':method': 'CONNECT', ':authority': 'kubernetes' }],
    ['an empty stream id', { ...connectHeaders, 'sallyport-stream': '' }],
    ['a signed stream id', { ...connectHeaders, 'sallyport-stream': '+1' }],
    ['stream id 0', { ...connectHeaders, 'sallyport-stream': '0' }],
    ['a padded stream id', { ...connectHeaders, 'sallyport-stream': '01' }],
    ['a huge stream id', { ...connectHeaders, 'sallyport-stream': '9'.repeat(16) }],
    ['two stream ids', { ...connectHeaders, 'sallyport-stream': ['1', '2'] }],
  ])('CONNECT with %s is reset, the link stays', async (_name, headers) => {
    const { session, taken, end } = await bound()
    const { reset, status } = await send(session, headers)
    expect([status, reset]).toEqual([undefined, NGHTTP2_PROTOCOL_ERROR])
    expect(await send(session, connectHeaders)).toMatchObject({ status: 200 })
    expect(taken).toEqual([1])
    await end()
  })

  it('a stream id that was used, or lies below one, is reset', async () => {
    const { session, taken, end } = await bound()
    const connect = (id: string) => send(session, { ...connectHeaders, 'sallyport-stream': id })
    expect((await connect('5')).status).toBe(200)
    expect((await connect('5')).reset).toBe(NGHTTP2_PROTOCOL_ERROR)
    expect((await connect('4')).reset).toBe(NGHTTP2_PROTOCOL_ERROR)
    expect((await connect('6')).status).toBe(200)
    expect(taken).toEqual([5, 6])
    await end()
  })

  it('any other request ends the link', async () => {
    const { session, agent } = await bound()
    expect((await send(session, { ':path': '/' })).reset).not.toBe(NGHTTP2_NO_ERROR)
    expect(await agent.closed).toMatchObject({ error: { code: 'ERR_LINK_HANDSHAKE' } })
  })

  it('the request id is passed on when it is well-formed', async () => {
    const seen: (string | undefined)[] = []
    const { session, agent } = await foreignClient(ids, {
      bind: () =>
        Promise.resolve({
          sessionId: 's',
          expiresAt: inSeconds(60),
          onStream: ({ requestId, stream }) => {
            seen.push(requestId)
            stream.on('error', () => undefined)
          },
        }),
    })
    await send(session, bindHeaders, bindBody)
    const header = 'x-ms-client-request-id'
    await send(session, { ...connectHeaders, [header]: 'a-1' })
    await send(session, { ...connectHeaders, 'sallyport-stream': '2', [header]: 'a b' })
    expect(seen).toEqual(['a-1', undefined])
    agent.destroy()
    session.destroy()
    await agent.closed
  })
})

describe('the decision', () => {
  it.each([
    ['ERR_BIND_REFUSED', 'ERR_BIND_REFUSED'],
    ['ERR_GUARD_IDENTITY', 'ERR_GUARD_IDENTITY'],
    ['ERR_AGENT_BUSY', 'ERR_AGENT_BUSY'],
  ] as const)('%s reaches the client, then the link ends', async (code, seen) => {
    const onBindError = vi.fn()
    const error = new SallyportError(code, 'said aloud', { why: 'kept private' })
    const pair = linkPair(ids, { agent: { bind: refuse(error), onBindError } })
    const failure = (await pair.catch((e: unknown) => e)) as SallyportError
    expect(failure).toMatchObject({ code: seen, message: 'said aloud' })
    expect(failure.why).toBeUndefined()
    expect(onBindError).toHaveBeenCalledExactlyOnceWith(error)
  })

  it('an error that is not ours says nothing', async () => {
    const pair = linkPair(ids, { agent: { bind: refuse(new Error('secret detail')) } })
    const failure = (await pair.catch((e: unknown) => e)) as SallyportError
    expect(failure).toMatchObject({ code: 'ERR_INTERNAL' })
    expect(failure.message).not.toContain('secret')
  })

  it('a refusal under clocks far apart names the skew', async () => {
    const real = Date.now()
    const bind: BindDecision = () => {
      // The answer is written with the agent's clock, 10 minutes ahead; the client reads its own afterwards.
      vi.spyOn(Date, 'now').mockReturnValueOnce(real + 600_000)
      return Promise.reject(new SallyportError('ERR_BIND_REFUSED', 'refused'))
    }
    await expect(linkPair(ids, { agent: { bind } })).rejects.toMatchObject({
      code: 'ERR_BIND_CLOCK_SKEW',
      message: expect.stringMatching(/(600|599) s ahead of/) as string,
    })
    vi.restoreAllMocks()
  })

  it('that comes when the link is gone ends its session', async () => {
    const onEnd = vi.fn()
    const decided = Promise.withResolvers<Awaited<ReturnType<BindDecision>>>()
    const asked = Promise.withResolvers<undefined>()
    const transport = await tcpPair()
    const pair = linkPair(ids, {
      transport,
      agent: {
        bind: () => {
          asked.resolve(undefined)
          return decided.promise
        },
      },
    })
    pair.catch(() => undefined)
    await asked.promise
    transport.client.destroy()
    await expect(pair).rejects.toMatchObject({ code: 'ERR_LINK_LOST' })
    decided.resolve({ sessionId: 's', expiresAt: inSeconds(9), onStream: () => undefined, onEnd })
    await expect.poll(() => onEnd.mock.calls.length).toBe(1)
  })
})

describe('a renewal', () => {
  it('keeps the session and moves its end', async () => {
    const seen: unknown[] = []
    let expiresAt = inSeconds(60)
    const pair = await linkPair(ids, {
      agent: {
        bind: (request, { current, certificateThumbprint }) => {
          seen.push([request.token, current?.sessionId, certificateThumbprint])
          return Promise.resolve({ sessionId: 's', expiresAt, onStream: () => undefined })
        },
      },
    })
    expiresAt += 60
    expect(await pair.client.bind('second', signal)).toMatchObject({ sessionId: 's', expiresAt })
    const thumbprint = ids.client.certificateThumbprint
    expect(seen).toEqual([
      ['token', undefined, thumbprint],
      ['second', 's', thumbprint],
    ])
    await closePair(pair)
  })

  it('may not change the session', async () => {
    let n = 0
    const pair = await linkPair(ids, {
      agent: {
        bind: () =>
          Promise.resolve({
            sessionId: `s${(n += 1)}`,
            expiresAt: inSeconds(60),
            onStream: () => undefined,
          }),
      },
    })
    await expect(pair.client.bind('t', signal)).rejects.toMatchObject({ code: 'ERR_BIND_REFUSED' })
    expect(pair.client.open).toBe(true)
    await closePair(pair)
  })

  it('that does not come lets the link end after the grace', async () => {
    const onEnd = vi.fn()
    const transport = await tcpPair()
    const start = Date.now()
    const pair = await linkPair(ids, {
      transport,
      // Expired so long ago that only half a second of the grace is left.
      bound: {
        expiresAt: Math.floor((start - limits.sessionGraceAfterExpiryMs) / 1000) + 1,
        onEnd,
      },
    })
    expect(await pair.agent.closed).toMatchObject({ error: { code: 'ERR_BIND_REFUSED' } })
    expect(await pair.client.closed).toMatchObject({ error: { code: 'ERR_LINK_LOST' } })
    expect(onEnd).toHaveBeenCalledOnce()
  })
})
