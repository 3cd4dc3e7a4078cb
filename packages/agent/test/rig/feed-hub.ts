/**
 * The hub's side of the feed, held in the test's hand: it signs what the test says, right or wrong on purpose.
 * @module
 */
import {
  clusterAudience,
  feedStatementType,
  keyStatementType,
  type FeedClaims,
  type FeedRequest,
  type FeedResponse,
} from '@sallyport/protocol'
import { hash, issuer, signRaw, type HubKey } from './hub-key.ts'

/** A request that waits for its answer. */
export interface Asked {
  request: FeedRequest
  answer: (response: FeedResponse) => void
  fail: (error: Error) => void
}

const seconds = (): number => Math.floor(Date.now() / 1000)

/** Claims of a right answer to `request`. */
export function feedClaims(request: FeedRequest, change: Partial<FeedClaims> = {}): FeedClaims {
  return {
    iss: issuer,
    aud: clusterAudience(hash),
    iat: seconds(),
    nonce: request.nonce,
    seq: request.after ?? 0,
    reset: request.after === undefined,
    revocations: [],
    leaseMs: 60_000,
    assignments: '0',
    disabledFeatures: [],
    ...change,
  }
}

/** A signed answer; `header` spoils parts of the header. */
export function feedAnswer(
  key: HubKey,
  claims: object | string,
  more: { header?: object; keyStatements?: string[] } = {},
): FeedResponse {
  const header = { alg: 'ES256', typ: feedStatementType, kid: key.kid, ...more.header }
  return { statement: signRaw(key, header, claims), keyStatements: more.keyStatements ?? [] }
}

/** A statement by `by` that names `keys`. */
export function keyStatement(by: HubKey, keys: HubKey[], change: object = {}): string {
  const claims = { iss: issuer, iat: seconds(), keys: keys.map(({ pinned }) => pinned), ...change }
  return signRaw(by, { alg: 'ES256', typ: keyStatementType, kid: by.kid }, claims)
}

/** Takes the agent's requests; the test answers each. */
export class FeedHub {
  readonly #asked: Asked[] = []
  readonly #waiting: ((asked: Asked) => void)[] = []
  /** Requests so far. */
  count = 0

  readonly ask = (request: FeedRequest, signal: AbortSignal): Promise<FeedResponse> =>
    new Promise((resolve, reject) => {
      this.count += 1
      signal.addEventListener('abort', () => {
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      })
      const asked = { request, answer: resolve, fail: reject }
      const waiting = this.#waiting.shift()
      if (waiting === undefined) this.#asked.push(asked)
      else waiting(asked)
    })

  /** The next request. */
  next(): Promise<Asked> {
    const asked = this.#asked.shift()
    if (asked !== undefined) return Promise.resolve(asked)
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }
}
