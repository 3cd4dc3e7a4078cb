/**
 * Calls the agent makes for itself that write, many at a time: on objects it made and under names it made, never a path a user sent.
 * @module
 */
import { limits, parser, SallyportError } from '@sallyport/protocol'
import Type from 'typebox'
import { Pool, request } from 'undici'
import { connectAsAgent } from './agent-call.ts'
import type { UpstreamTarget } from './target.ts'

const answerBytes = 16 * 1024 * 1024

/** One call; `body` is sent as JSON. */
export interface AgentCall {
  method: 'GET' | 'PATCH' | 'DELETE' | 'POST'
  /** Path with its query. */
  path: string
  body?: object
  contentType?: string
  signal: AbortSignal
}

/** What came back. */
export interface AgentAnswer {
  status: number
  /** Parsed JSON; undefined when it is none. */
  body: unknown
}

const parseMessage = parser(
  Type.Object({ message: Type.String() }, { additionalProperties: true }),
  'answer of the API server',
)

/** The error of an answer nobody expected: ERR_UPSTREAM_AUTH (401), else ERR_UPSTREAM_UNREACHABLE. */
export function refusedCall(call: AgentCall, answer: AgentAnswer): SallyportError {
  const code = answer.status === 401 ? 'ERR_UPSTREAM_AUTH' : 'ERR_UPSTREAM_UNREACHABLE'
  const path = call.path.split('?', 1)[0] ?? ''
  let why = `${call.method} ${path}`
  try {
    why += `: ${parseMessage(answer.body).message.slice(0, 500)}`
  } catch {
    // No Status: the path alone must do.
  }
  return new SallyportError(code, `the API server answered ${answer.status}`, { why })
}

/** Client of the API server for the agent itself; at most `connections` calls at a time. */
export class AgentCalls {
  readonly #target: UpstreamTarget
  readonly #pool: Pool

  constructor(target: UpstreamTarget, connections: number) {
    this.#target = target
    this.#pool = new Pool(target.address.origin, {
      connect: connectAsAgent(target),
      allowH2: false,
      connections,
      headersTimeout: limits.apiCallTimeoutMs,
      bodyTimeout: limits.apiCallTimeoutMs,
      maxResponseSize: answerBytes,
    })
  }

  /** Calls; every status is an answer. @throws SallyportError ERR_UPSTREAM_AUTH without a credential; the failure of the connection as it is. */
  async call(call: AgentCall): Promise<AgentAnswer> {
    const { address, credential } = this.#target
    const authorization = credential.authorization()
    const answer = await request(`${address.origin}${address.pathPrefix}${call.path}`, {
      dispatcher: this.#pool,
      method: call.method,
      signal: AbortSignal.any([call.signal, AbortSignal.timeout(limits.apiCallTimeoutMs)]),
      headers: {
        accept: 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
        ...(call.body === undefined
          ? {}
          : { 'content-type': call.contentType ?? 'application/json' }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
    })
    const body: unknown = await answer.body.json().catch(() => undefined)
    return { status: answer.statusCode, body }
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}
