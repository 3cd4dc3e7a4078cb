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
import { clocksDisagree, describeSkew } from './clock-skew.ts'
import { beforeDeadline } from './deadline.ts'
import { readBody } from './read-body.ts'
import { linkError, resetError } from './stream-error.ts'

const parseAnswer = jsonParser(BindResponseSchema, 'answer of the agent', 'ERR_LINK_HANDSHAKE')
const parseRefusal = jsonParser(BindErrorSchema, 'answer of the agent', 'ERR_LINK_HANDSHAKE')
type Refusal = ReturnType<typeof parseRefusal>

/** What is presented; `hubOffsetMs` is the hub's clock minus ours, to name a clock that is off. */
export interface BindOffer {
  token: string
  hubOffsetMs?: number | undefined
}

/** Presents a token on the link. @throws SallyportError with the agent's code, ERR_BIND_CLOCK_SKEW when the clocks explain it, ERR_TIMEOUT, ERR_LINK_LOST. */
export async function exchangeBind(
  session: ClientHttp2Session,
  offer: BindOffer,
  signal: AbortSignal,
): Promise<BindResponse> {
  const body: BindRequest = { v: 1, token: offer.token, client: `sallyport/${version}` }
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
  const answer = readAnswer(request, offer.hubOffsetMs)
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

async function readAnswer(
  request: ClientHttp2Stream,
  hubOffsetMs: number | undefined,
): Promise<BindResponse> {
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
  throw refusalError(parseRefusal(text), hubOffsetMs)
}

/** The agent's refusal on this side. Tokens are refused for their times before anything else, so clocks far apart are named. */
function refusalError(refusal: Refusal, hubOffsetMs: number | undefined): SallyportError {
  const { code, message, serverTime } = refusal
  const known = Object.hasOwn(errorRegistry, code) ? (code as ErrorCode) : 'ERR_BIND_REFUSED'
  const offsets = { agent: serverTime * 1000 - Date.now(), hub: hubOffsetMs }
  const isClock = known === 'ERR_BIND_REFUSED' || known === 'ERR_BIND_CLOCK_SKEW'
  const skew = isClock ? describeSkew(offsets) : undefined
  if (skew === undefined) return new SallyportError(known, message)
  return clocksDisagree(offsets) || known === 'ERR_BIND_CLOCK_SKEW'
    ? new SallyportError('ERR_BIND_CLOCK_SKEW', skew, { why: message })
    : new SallyportError(known, message, { why: skew })
}
