/**
 * What this agent knows to have ended early. A token is over when something about it has a higher number than the token names.
 * @module
 */
import { SallyportError, limits, type FeedClaims } from '@sallyport/protocol'

/** What of a token decides. */
export interface Standing {
  oid: string
  sid: string
  rev: number
}

interface Entry {
  seq: number
  of: Map<string, number>
  target: string
  at: number
}

/** After this time no token from before an entry is accepted for its times alone. */
const entryTtlMs = limits.clusterTokenMaxTtlMs + 2 * limits.clusterTokenSkewMs

/** All revocations that still matter. */
export class Revocations {
  readonly #now: () => number
  readonly #principals = new Map<string, number>()
  readonly #sessions = new Map<string, number>()
  #entries: Entry[] = []
  /** Every token with a smaller number is over. */
  #floor = 0
  #seq: number | undefined

  /** `now` is a steady clock in milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Number of the latest one known; undefined before the first statement. */
  get seq(): number | undefined {
    return this.#seq
  }

  /**
   * Takes a verified statement.
   * @throws SallyportError ERR_HUB_UNTRUSTED when it would go back, or leaves a gap; then nothing changes (X098).
   */
  apply({ seq, reset, revocations }: FeedClaims): void {
    if (reset) {
      this.#restart(seq)
      return
    }
    const known = this.#seq
    if (known === undefined) throw refuse('the first statement has to be a whole one')
    const isWhole =
      seq === known + revocations.length &&
      revocations.every((revocation, index) => revocation.seq === known + index + 1)
    if (!isWhole) throw refuse('it goes back, or leaves out a number')
    for (const { seq: number, kind, target } of revocations) {
      if (kind === 'all') this.#floor = number
      else this.#add(kind === 'principal' ? this.#principals : this.#sessions, target, number)
    }
    this.#seq = seq
    this.#forget()
  }

  /** Whether a token with these claims is over. */
  covers({ oid, sid, rev }: Standing): boolean {
    return (
      rev < this.#floor ||
      rev < (this.#principals.get(oid) ?? 0) ||
      rev < (this.#sessions.get(sid) ?? 0)
    )
  }

  #restart(seq: number): void {
    this.#principals.clear()
    this.#sessions.clear()
    this.#entries = []
    this.#floor = seq
    this.#seq = seq
  }

  #add(of: Map<string, number>, target: string, seq: number): void {
    of.set(target, seq)
    this.#entries.push({ seq, of, target, at: this.#now() })
  }

  /** What goes leaves its number behind: a clock set back does not bring an old token to life. */
  #forget(): void {
    const until = this.#now() - entryTtlMs
    let count = Math.max(0, this.#entries.length - limits.revocationsKept)
    while ((this.#entries[count]?.at ?? Infinity) <= until) count += 1
    for (const { seq, of, target } of this.#entries.splice(0, count)) {
      this.#floor = Math.max(this.#floor, seq)
      if (of.get(target) === seq) of.delete(target)
    }
  }
}

function refuse(why: string): SallyportError {
  return new SallyportError('ERR_HUB_UNTRUSTED', 'a statement of the hub is not accepted', { why })
}
