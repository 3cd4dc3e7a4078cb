/**
 * Agent half of the bind: who may use this link, and until when.
 * @module
 */
import type { Duplex } from 'node:stream'
import type { ServerHttp2Stream } from 'node:http2'
import {
  BindRequestSchema,
  SallyportError,
  isSallyportError,
  jsonParser,
  limits,
  version,
  type BindRequest,
  type BindResponse,
} from '@sallyport/protocol'
import { beforeDeadline } from './deadline.ts'
import type { LinkEnd, LinkLife } from './link-life.ts'
import { readBody } from './read-body.ts'
import { linkError } from './stream-error.ts'

const parseRequest = jsonParser(BindRequestSchema, 'bind request', 'ERR_REQUEST_INVALID')
const timerMaxMs = 2 ** 31 - 1

/** One CONNECT stream handed to the session; `requestId` when the client sent a well-formed one. */
export interface LinkStream {
  id: number
  stream: Duplex
  requestId?: string
}

/** What an accepted bind gives the link. `expiresAt` is Unix seconds. */
export interface BoundSession {
  sessionId: string
  expiresAt: number
  /** Asked when the time is over: milliseconds the session may stay without a fresh token; none by default. */
  extendMs?: () => number
  onStream: (stream: LinkStream) => void
  onEnd?: (end: LinkEnd) => void
}

/** The peer of the link a bind came over. */
export interface BindPeer {
  certificateThumbprint: string
  /** Set on a renewal. */
  current?: BoundSession
  /** Ends the link at once and tells the client why. */
  dismiss: (error: SallyportError) => void
}

/** Decides about a bind; throws a SallyportError to refuse. */
export type BindDecision = (request: BindRequest, peer: BindPeer) => Promise<BoundSession>

/** The decision and who hears of refusals. */
export interface BindGateOptions {
  bind: BindDecision
  onBindError?: (error: SallyportError) => void
}

/** Holds the bound session of one link and its clock: ends the link when the first bind is late or the last one has run out. */
export class BindGate {
  readonly #life: LinkLife
  readonly #thumbprint: string
  readonly #options: BindGateOptions
  readonly #ended = new AbortController()
  #session: BoundSession | undefined
  #binding = false
  #timer: NodeJS.Timeout

  constructor(life: LinkLife, certificateThumbprint: string, options: BindGateOptions) {
    this.#life = life
    this.#thumbprint = certificateThumbprint
    this.#options = options
    this.#timer = setTimeout(() => {
      this.#refuseLate()
    }, limits.bindTimeoutMs)
    void life.closed.then((end) => {
      clearTimeout(this.#timer)
      this.#ended.abort()
      this.#session?.onEnd?.(end)
    })
  }

  /** The accepted session, undefined before the first accepted bind. */
  get session(): BoundSession | undefined {
    return this.#session
  }

  /** Serves one bind request; never rejects. A refused first bind ends the link, a refused renewal leaves it until it expires. */
  async onBind(stream: ServerHttp2Stream): Promise<void> {
    try {
      const answer = await this.#decide(stream)
      await respond(stream, 200, answer)
    } catch (error) {
      const refusal = isSallyportError(error)
        ? error
        : new SallyportError('ERR_INTERNAL', 'the agent could not decide', { cause: error })
      this.#options.onBindError?.(refusal)
      const { code, message, entry } = refusal
      await respond(stream, entry.status, { code, message, serverTime: unixSeconds() })
      if (this.#session === undefined) await this.#life.close()
    }
  }

  async #decide(stream: ServerHttp2Stream): Promise<BindResponse> {
    if (this.#binding) {
      throw new SallyportError('ERR_AGENT_BUSY', 'another bind of this link is being decided')
    }
    this.#binding = true
    try {
      const current = this.#session
      const request = parseRequest(await readBody(stream, limits.bindBodyBytes))
      const peer: BindPeer = {
        certificateThumbprint: this.#thumbprint,
        ...(current && { current }),
        dismiss: (error) => {
          this.#life.dismiss(error)
        },
      }
      const session = await this.#decision(this.#options.bind(request, peer), current)
      if (current !== undefined && current.sessionId !== session.sessionId) {
        throw new SallyportError('ERR_BIND_REFUSED', 'a renewal must keep the session')
      }
      return this.#accept(session)
    } finally {
      this.#binding = false
    }
  }

  /** Waits for the decision; a session granted after the wait is over is ended again, or its owner would keep it for ever. */
  async #decision(
    decision: Promise<BoundSession>,
    current: BoundSession | undefined,
  ): Promise<BoundSession> {
    try {
      return await beforeDeadline(decision, {
        signal: this.#ended.signal,
        timeoutMs: limits.bindTimeoutMs,
        expired: () => new SallyportError('ERR_TIMEOUT', 'the agent took too long to decide'),
      })
    } catch (error) {
      void decision.then(
        (late) => {
          if (late !== current) late.onEnd?.({ error: linkError(error) })
        },
        () => undefined,
      )
      throw error
    }
  }

  #accept(session: BoundSession): BindResponse {
    this.#session = session
    clearTimeout(this.#timer)
    const left = session.expiresAt * 1000 + limits.sessionGraceAfterExpiryMs - Date.now()
    this.#expireIn(left)
    return {
      v: 1,
      sessionId: session.sessionId,
      expiresAt: session.expiresAt,
      agentVersion: version,
      serverTime: unixSeconds(),
    }
  }

  #expireIn(ms: number): void {
    const expire = (): void => {
      const moreMs = this.#session?.extendMs?.() ?? 0
      if (moreMs > 0) this.#expireIn(moreMs)
      else {
        this.#life.destroy(
          new SallyportError('ERR_BIND_REFUSED', 'the session was not renewed in time'),
        )
      }
    }
    this.#timer = setTimeout(expire, Math.min(Math.max(ms, 0), timerMaxMs))
  }

  #refuseLate(): void {
    const error = new SallyportError('ERR_TIMEOUT', 'the client did not bind in time')
    this.#options.onBindError?.(error)
    this.#life.destroy(error)
  }
}

const unixSeconds = (): number => Math.floor(Date.now() / 1000)

/** Sends a JSON answer as one Buffer and resolves when it is out or the stream is gone. */
function respond(stream: ServerHttp2Stream, status: number, body: object): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  if (stream.destroyed || stream.closed) return Promise.resolve()
  stream.once('close', () => {
    resolve(undefined)
  })
  stream.respond({ ':status': status, 'content-type': 'application/json' })
  stream.end(Buffer.from(JSON.stringify(body)))
  // A body that was not read to its end would keep the stream open.
  stream.resume()
  return promise
}
