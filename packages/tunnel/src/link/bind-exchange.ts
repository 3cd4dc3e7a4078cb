/**
 * Client half of the bind: one POST on the link, its answer as a value or as the agent's error.
 * @module
 */
import { constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import {
  BindErrorSchema,
  BindResponseSchema,
  SallyportError,
  bindPath,
  errorRegistry,
  jsonParser,
  limits,
  streamAuthority,
  version,
  type BindRequest,
  type BindResponse,
  type ErrorCode,
} from '@sallyport/protocol'
import { beforeDeadline } from './deadline.ts'
import { readBody } from './read-body.ts'
import { linkError, resetError } from './stream-error.ts'

const parseAnswer = jsonParser(BindResponseSchema, 'answer of the agent', 'ERR_LINK_HANDSHAKE')
const parseRefusal = jsonParser(BindErrorSchema, 'answer of the agent', 'ERR_LINK_HANDSHAKE')

/** Presents `token` on the link. @throws SallyportError with the agent's code, ERR_BIND_CLOCK_SKEW when the clocks explain it, ERR_TIMEOUT, ERR_LINK_LOST. */
export async function exchangeBind(
  session: ClientHttp2Session,
  token: string,
  signal: AbortSignal,
): Promise<BindResponse> {
  const body: BindRequest = { v: 1, token, client: `sallyport/${version}` }
  const request = session.request(
    {
      ':method': 'POST',
      ':scheme': 'https',
      ':authority': streamAuthority,
      ':path': bindPath,
      'content-type': 'application/json',
    },
    { endStream: false },
  )
  const answer = readAnswer(request)
  request.end(Buffer.from(JSON.stringify(body)))
  try {
    return await beforeDeadline(answer, {
      signal,
      timeoutMs: limits.bindTimeoutMs,
      expired: () =>
        new SallyportError('ERR_TIMEOUT', 'the agent did not answer the bind', {
          why: `no answer in ${limits.bindTimeoutMs} ms`,
        }),
    })
  } finally {
    request.close(constants.NGHTTP2_CANCEL)
  }
}

async function readAnswer(request: ClientHttp2Stream): Promise<BindResponse> {
  const { promise: status, resolve, reject } = Promise.withResolvers<number>()
  request.once('response', (headers) => {
    resolve(headers[':status'] ?? 0)
  })
  request.on('error', (error) => {
    reject(linkError(error))
  })
  request.once('close', () => {
    reject(resetError(request.rstCode))
  })
  const ok = (await status) === constants.HTTP_STATUS_OK
  const text = await readBody(request, limits.bindBodyBytes)
  if (ok) return parseAnswer(text)
  const refusal = parseRefusal(text)
  throw refusalError(refusal.code, refusal.message, refusal.serverTime)
}

/** The agent's refusal on this side. A token is refused for its times long before anything else, so clocks far apart are named. */
function refusalError(code: string, message: string, agentTime: number): SallyportError {
  const known = Object.hasOwn(errorRegistry, code) ? (code as ErrorCode) : 'ERR_BIND_REFUSED'
  const skewMs = agentTime * 1000 - Date.now()
  const isClock = known === 'ERR_BIND_REFUSED' || known === 'ERR_BIND_CLOCK_SKEW'
  if (!isClock || Math.abs(skewMs) <= limits.clusterTokenSkewMs) {
    return new SallyportError(known, message)
  }
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  const direction = skewMs > 0 ? 'ahead of' : 'behind'
  return new SallyportError(
    'ERR_BIND_CLOCK_SKEW',
    `the clock of the agent is ${seconds} s ${direction} the clock of this machine`,
    { why: message },
  )
}
