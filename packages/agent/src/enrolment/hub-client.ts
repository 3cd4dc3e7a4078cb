/**
 * HTTPS to the hub: one origin, pinned authority, proxy, deadlines; redirects are never followed (T-RED-1).
 * @module
 */
import {
  ArmErrorSchema,
  errorRegistry,
  isSallyportError,
  limits,
  parser,
  SallyportError,
  type ErrorCode,
} from '@sallyport/protocol'
import { dialSocket, type DialSettings } from '@sallyport/tunnel'
import Type from 'typebox'
import { Pool, request } from 'undici'

const parseArmError = parser(ArmErrorSchema, 'answer of the hub', 'ERR_HUB_UNREACHABLE')

/** One POST to the hub. */
export interface HubCall {
  path: string
  body: object
  /** Value of Authorization; absent for enrolment. */
  authorization?: string
  signal: AbortSignal
}

/** Client of one hub. */
export class HubClient {
  readonly #origin: string
  readonly #pool: Pool
  /** Hub clock minus ours, from the Date header of its last answer. */
  #offsetMs = 0

  constructor(origin: string, dial: DialSettings) {
    this.#origin = origin
    this.#pool = new Pool(origin, {
      allowH2: false,
      connections: 4,
      // The role assignments of a cluster are the longest answer.
      maxResponseSize: limits.assignmentsBytes,
      headersTimeout: limits.apiCallTimeoutMs,
      bodyTimeout: limits.apiCallTimeoutMs,
      // The same dialling as to the relays: proxy, CONNECT and authority behave alike on every leg.
      connect: (_, done) => {
        const signal = AbortSignal.timeout(limits.dialTimeoutMs)
        dialSocket(new URL(origin), { ...dial, signal, target: 'hub' }).then(
          (socket) => {
            done(null, socket)
          },
          (error: unknown) => {
            done(error instanceof Error ? error : new Error('dial failed'), null)
          },
        )
      },
    })
  }

  /** The hub's clock, Unix milliseconds, as its last answer showed it. */
  hubNow(): number {
    return Date.now() + this.#offsetMs
  }

  /**
   * POSTs JSON and returns the parsed JSON of a 200.
   * @throws SallyportError with the hub's own code, or ERR_HUB_UNREACHABLE, ERR_HUB_UNTRUSTED, ERR_TIMEOUT.
   */
  async post(call: HubCall): Promise<unknown> {
    const deadline = AbortSignal.timeout(limits.apiCallTimeoutMs)
    try {
      const answer = await request(`${this.#origin}${call.path}`, {
        dispatcher: this.#pool,
        method: 'POST',
        signal: AbortSignal.any([call.signal, deadline]),
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          ...(call.authorization === undefined ? {} : { authorization: call.authorization }),
        },
        body: JSON.stringify(call.body),
      })
      this.#learnClock(answer.headers['date'])
      const body: unknown = await answer.body.json().catch(() => undefined)
      if (answer.statusCode === 200 && body !== undefined) return body
      throw hubError(answer.statusCode, body, answer.headers['retry-after'])
    } catch (cause) {
      call.signal.throwIfAborted()
      throw deadline.aborted
        ? new SallyportError('ERR_TIMEOUT', 'the hub did not answer in time', { cause })
        : unreachable(cause)
    }
  }

  #learnClock(date: string | string[] | undefined): void {
    // In whole seconds: half of one is the best guess.
    const offsetMs = Date.parse(typeof date === 'string' ? date : '') + 500 - Date.now()
    if (!Number.isNaN(offsetMs)) this.#offsetMs = offsetMs
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

function unreachable(cause: unknown): SallyportError {
  if (isSallyportError(cause) && !cause.code.startsWith('ERR_RELAY_')) return cause
  const why =
    cause instanceof Error
      ? ((isSallyportError(cause) ? (cause.why ?? cause.message) : undefined) ?? cause.message)
      : ''
  return new SallyportError('ERR_HUB_UNREACHABLE', 'the hub cannot be reached', {
    cause,
    ...(why === '' ? {} : { why }),
  })
}

interface HubProblem {
  code: ErrorCode | undefined
  why: string | undefined
  message: string
}

const parseInfo = parser(
  Type.Object(
    { code: Type.String(), why: Type.Optional(Type.String({ maxLength: 1000 })) },
    { additionalProperties: true },
  ),
  'answer of the hub',
)

/** The hub's own error, by the code it names; by status when it names none we know. */
function hubError(
  status: number,
  body: unknown,
  retryAfter: string | string[] | undefined,
): SallyportError {
  const { code, why, message } = readArmError(body)
  const seconds = /^\d{1,5}$/.test(String(retryAfter)) ? Number(retryAfter) : undefined
  const options = {
    ...(why === undefined ? {} : { why }),
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  }
  if (code !== undefined) return new SallyportError(code, message, options)
  if (status === 401) return new SallyportError('ERR_AGENT_UNKNOWN', message, options)
  if (status === 429) return new SallyportError('ERR_RATE_LIMITED', message, options)
  return new SallyportError('ERR_HUB_UNREACHABLE', `the hub answered ${status}`)
}

function readArmError(body: unknown): HubProblem {
  try {
    const { error } = parseArmError(body)
    const entry = error.additionalInfo?.find(({ type }) => type === 'SallyportError')
    const info = entry === undefined ? undefined : parseInfo(entry.info)
    const code =
      info !== undefined && Object.hasOwn(errorRegistry, info.code)
        ? (info.code as ErrorCode)
        : undefined
    return { code, why: info?.why, message: error.message.slice(0, 500) }
  } catch {
    const message = 'the hub answered with something else than its API'
    return { code: undefined, why: undefined, message }
  }
}
