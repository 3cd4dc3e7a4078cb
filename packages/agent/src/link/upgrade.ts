/**
 * Upgrades (exec, attach, port-forward): only after a correct 101 do bytes flow, raw and both ways (CVE-2018-1002105).
 * @module
 */
import { ServerResponse, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { isSallyportError, limits, SallyportError } from '@sallyport/protocol'
import { checkRequest, isRefusal, toUpstream, type Refusal } from './exchange.ts'
import { upgradeAnswerProblem } from './upgrade-answer.ts'
import type { UpstreamClient } from '../upstream/client.ts'
import type { RequestHead } from './request-head.ts'
import { cleanResponseHead } from './response-head.ts'
import { splice } from './splice.ts'
import { sendStatus } from './status-response.ts'
import type { StreamSession } from './stream-session.ts'
import { credentialFailure, upstreamFailure } from './upstream-failure.ts'

/** One upgrade request on a connection that node:http has let go of. */
export interface UpgradeExchange {
  session: StreamSession
  request: IncomingMessage
  socket: Duplex
  /** Bytes the client sent behind the head; they go upstream only after a 101. */
  head: Buffer
}

const protocols = new Map([
  ['websocket', 'websocket'],
  ['spdy/3.1', 'SPDY/3.1'],
])

function refusal(what: string, status = 400): Refusal {
  return { error: new SallyportError('ERR_REQUEST_INVALID', what), status }
}

/** The cleaned head of an upgrade request that may go upstream, or why not. */
function checkUpgrade(request: IncomingMessage): RequestHead | Refusal {
  const head = checkRequest(request)
  if (isRefusal(head)) return head
  if (request.method !== 'GET' && request.method !== 'POST')
    return refusal('an upgrade is a GET or a POST', 405)
  if (!protocols.has((head.upgrade ?? '').toLowerCase()))
    return refusal('only upgrades to websocket and SPDY/3.1 are known')
  if (head.chunked || (head.contentLength ?? 0) > 0) return refusal('an upgrade has no body')
  return head
}

/** Forwards an upgrade; ends with a splice, or with an answer and both connections closed. */
export function forwardUpgrade(exchange: UpgradeExchange): void {
  const { session, request, socket } = exchange
  const requestId = session.nextRequestId()
  const response = new ServerResponse(request)
  // @types/node asks for a Socket; any Duplex does, as with `emit('connection')`.
  response.assignSocket(socket as Parameters<typeof response.assignSocket>[0])
  const fail = (error: SallyportError, status?: number): void => {
    error.requestId = requestId
    session.onProblem(requestId, error)
    sendStatus(response, error, { close: true, ...(status === undefined ? {} : { status }) })
    closeAfter(response, socket)
  }
  const head = checkUpgrade(request)
  if (isRefusal(head)) {
    fail(head.error, head.status)
    return
  }
  const protocol = protocols.get((head.upgrade ?? '').toLowerCase()) ?? ''
  head.headers.push('Connection', 'Upgrade', 'Upgrade', protocol)
  if (request.method === 'POST') head.headers.push('Content-Length', '0')
  let upstream: ClientRequest
  let kind: UpstreamClient['kind']
  try {
    const { client } = session
    kind = client.kind
    upstream = client.upgrade(toUpstream({ request, head, requestId, body: null }))
  } catch (cause) {
    fail(
      isSallyportError(cause)
        ? cause
        : new SallyportError('ERR_INTERNAL', 'the upgrade could not be sent', { cause }),
    )
    return
  }
  awaitAnswer({ exchange, response, upstream, kind, fail })
}

function awaitAnswer(options: {
  exchange: UpgradeExchange
  response: ServerResponse
  upstream: ClientRequest
  kind: UpstreamClient['kind']
  fail: (error: SallyportError) => void
}): void {
  const { exchange, response, upstream, fail } = options
  const { socket } = exchange
  const onGone = (): void => {
    upstream.destroy()
  }
  socket.once('close', onGone)
  const deadline = setTimeout(() => {
    upstream.destroy(
      new SallyportError('ERR_TIMEOUT', 'the API server did not answer the upgrade in time'),
    )
  }, limits.upstreamUpgradeTimeoutMs)
  const settle = (): void => {
    clearTimeout(deadline)
    socket.off('close', onGone)
  }
  upstream.once('error', (error) => {
    settle()
    if (!socket.destroyed) fail(isSallyportError(error) ? error : upstreamFailure(error))
  })
  upstream.once('response', (answer) => {
    settle()
    const status = answer.statusCode ?? 0
    // node:http takes a 101 without Upgrade for an ordinary answer.
    const failure =
      status < 200
        ? new SallyportError('ERR_UPSTREAM_UNREACHABLE', 'the API server half switched protocols')
        : credentialFailure(options.kind, status)
    if (failure === undefined) relayAnswer(answer, response, socket)
    else {
      answer.destroy()
      fail(failure)
    }
  })
  upstream.once('upgrade', (answer, upstreamSocket, upstreamHead) => {
    settle()
    const problem = upgradeAnswerProblem(exchange.request, answer)
    if (problem !== undefined) {
      upstreamSocket.destroy()
      fail(new SallyportError('ERR_UPSTREAM_UNREACHABLE', problem))
      return
    }
    sendSwitch(answer, response)
    response.detachSocket(socket as Parameters<typeof response.detachSocket>[0])
    if (upstreamHead.length > 0) socket.write(upstreamHead)
    if (exchange.head.length > 0) upstreamSocket.write(exchange.head)
    splice(socket, upstreamSocket)
  })
}

function sendSwitch(answer: IncomingMessage, response: ServerResponse): void {
  const headers = cleanResponseHead(answer.rawHeaders)
  headers.push('Connection', 'Upgrade', 'Upgrade', answer.headers.upgrade ?? '')
  response.sendDate = false
  response.writeHead(101, answer.statusMessage, headers)
  response.flushHeaders()
}

/** Any answer but 101 is an ordinary answer, and the end of both connections (T-UPG-1). */
function relayAnswer(answer: IncomingMessage, response: ServerResponse, socket: Duplex): void {
  response.shouldKeepAlive = false
  response.writeHead(
    answer.statusCode ?? 502,
    answer.statusMessage,
    cleanResponseHead(answer.rawHeaders),
  )
  answer.once('error', () => {
    socket.destroy()
  })
  answer.once('aborted', () => {
    socket.destroy()
  })
  response.once('close', () => {
    answer.destroy()
  })
  socket.once('close', () => {
    answer.destroy()
  })
  answer.pipe(response)
  closeAfter(response, socket)
}

const lingerMs = 2_000

/** Ends the connection once the answer is out; whatever the client still sends is thrown away. */
function closeAfter(response: ServerResponse, socket: Duplex): void {
  response.once('finish', () => {
    socket.resume()
    socket.end(() => {
      const linger = setTimeout(() => {
        socket.destroy()
      }, lingerMs).unref()
      socket.once('close', () => {
        clearTimeout(linger)
      })
    })
  })
}
