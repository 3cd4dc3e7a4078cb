/**
 * Sign-ins on their way to an outside issuer and back: each known by its `state`, for the interaction it began in, once, for ten
 * minutes.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { limits, SallyportError } from '@sallyport/protocol'

/** One sign-in on its way. */
export interface PendingSignIn {
  alias: string
  /** Our own interaction it belongs to; the browser proves by its cookie that it is the one it began in. */
  interaction: string
  codeVerifier: string
  nonce: string
}

/** Lives as long as the hub. In memory only: who was on the way when the hub stopped starts again. */
export class PendingSignIns {
  readonly #kept = new Map<string, PendingSignIn & { expiresAt: number }>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Keeps a sign-in and returns its `state`. @throws SallyportError ERR_RATE_LIMITED. */
  add(pending: PendingSignIn): string {
    this.#forgetOld()
    if (this.#kept.size >= limits.outsideSignInsPending) {
      throw new SallyportError('ERR_RATE_LIMITED', 'too many people are signing in', {
        retryAfterSeconds: 60,
      })
    }
    const state = randomBytes(32).toString('base64url')
    this.#kept.set(state, { ...pending, expiresAt: this.#now() + limits.outsideSignInTtlMs })
    return state
  }

  /** The interaction of this state; the state stays. */
  interactionOf(state: string): string | undefined {
    const found = this.#kept.get(state)
    return found !== undefined && found.expiresAt > this.#now() ? found.interaction : undefined
  }

  /** The sign-in of this state in this interaction; whatever was wrong, the state is spent. */
  take(state: string, interaction: string): PendingSignIn | undefined {
    const found = this.#kept.get(state)
    this.#kept.delete(state)
    const isOurs = found?.interaction === interaction && found.expiresAt > this.#now()
    return isOurs ? found : undefined
  }

  // The oldest come first: a map keeps the order of insertion, and all live equally long.
  #forgetOld(): void {
    for (const [state, { expiresAt }] of this.#kept) {
      if (expiresAt > this.#now()) return
      this.#kept.delete(state)
    }
  }
}
