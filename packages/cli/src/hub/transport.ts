/**
 * HTTP to the hub: one dialler with the tunnel (CA, forward proxy), a deadline for each exchange, no redirects.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { Agent, request as send, type Dispatcher } from 'undici'
import {
  SallyportError,
  isSallyportError,
  limits,
  requestIdHeader,
  version,
} from '@sallyport/protocol'
import { dialSocket, type DialSettings } from '@sallyport/tunnel'
import { traceRequest, traceResponse } from './trace.ts'

/** One request; `path` has its query. */
export interface HubRequest {
  method: string
  path: string
  headers?: Record<string, string>
  body?: string
  signal: AbortSignal
  timeoutMs?: number
}

/** One answer. Headers by lower-case name. */
export interface HubResponse {
  status: number
  headers: Record<string, string>
  text: string
  requestId: string
}

/** Sends requests to one origin and nowhere else (T-CLI-3). */
export interface HubTransport {
  readonly origin: string
  send: (request: HubRequest) => Promise<HubResponse>
  close: () => Promise<void>
}

/** What a transport is made from; `trace` receives lines for --debug. */
export interface TransportOptions {
  origin: string
  dial: DialSettings
  trace?: ((text: string) => void) | undefined
}

/** Makes a transport; connections are kept alive between requests. */
export function createTransport(options: TransportOptions): HubTransport {
  const { origin, dial } = options
  const agent = new Agent({
    connect: (_target, callback) => {
      dialSocket(new URL(origin), {
        ...dial,
        signal: new AbortController().signal,
        target: 'hub',
      }).then(
        (socket) => {
          callback(null, socket)
        },
        (error: unknown) => {
          callback(error instanceof Error ? error : new Error('dialling failed'), null)
        },
      )
    },
    headersTimeout: limits.apiCallTimeoutMs,
    bodyTimeout: limits.apiCallTimeoutMs,
    maxHeaderSize: limits.httpMaxHeaderBytes,
  })
  return {
    origin,
    send: (request) => exchange(agent, options, request),
    close: () => agent.destroy(),
  }
}

async function exchange(
  agent: Agent,
  options: TransportOptions,
  request: HubRequest,
): Promise<HubResponse> {
  const sentId = randomUUID()
  const headers = {
    accept: 'application/json',
    'user-agent': `sallyport/${version}`,
    [requestIdHeader]: sentId,
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...request.headers,
  }
  const late = AbortSignal.timeout(request.timeoutMs ?? limits.apiCallTimeoutMs)
  const started = performance.now()
  options.trace?.(traceRequest({ ...request, origin: options.origin, headers }))
  try {
    const answer = await send(`${options.origin}${request.path}`, {
      dispatcher: agent,
      method: request.method,
      headers,
      body: request.body ?? null,
      signal: AbortSignal.any([request.signal, late]),
    })
    const response = await readResponse(answer, sentId)
    options.trace?.(traceResponse(response, performance.now() - started))
    return response
  } catch (error) {
    throw transportError(error, options.origin, { request, late, sentId })
  }
}

async function readResponse(answer: Dispatcher.ResponseData, sentId: string): Promise<HubResponse> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  const chunks: Buffer[] = []
  let size = 0
  const body: AsyncIterable<Buffer> = answer.body
  for await (const chunk of body) {
    size += chunk.length
    if (size > limits.kubeconfigBytes) {
      throw new SallyportError('ERR_HUB_UNREACHABLE', 'the hub sent an answer that is too large')
    }
    chunks.push(chunk)
  }
  return {
    status: answer.statusCode,
    headers,
    text: Buffer.concat(chunks).toString('utf8'),
    requestId: headers['x-ms-request-id'] ?? sentId,
  }
}

function transportError(
  error: unknown,
  origin: string,
  context: { request: HubRequest; late: AbortSignal; sentId: string },
): SallyportError {
  const { request, late, sentId } = context
  if (request.signal.aborted) {
    const reason: unknown = request.signal.reason
    return isSallyportError(reason)
      ? reason
      : new SallyportError('ERR_INTERRUPTED', 'interrupted', { cause: error })
  }
  if (late.aborted) {
    return new SallyportError('ERR_TIMEOUT', `the hub at ${origin} did not answer in time`, {
      cause: error,
      requestId: sentId,
      remedy: 'look at the log of the hub; check the network between here and there',
    })
  }
  if (!isSallyportError(error)) {
    return new SallyportError('ERR_HUB_UNREACHABLE', `the hub at ${origin} cannot be reached`, {
      cause: error,
      ...(error instanceof Error ? { why: error.message } : {}),
    })
  }
  return error
}
