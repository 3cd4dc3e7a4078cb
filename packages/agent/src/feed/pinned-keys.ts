/**
 * The hub's cluster-token keys as this agent trusts them: pinned at enrolment, followed from there by statements that each a key
 * pinned before has signed.
 * @module
 */
import {
  KeyClaimsSchema,
  SallyportError,
  keyStatementType,
  parser,
  type KeyClaims,
} from '@sallyport/protocol'
import { importJWK } from 'jose'
import { keyIdOf, verifyStrict, type JwsRules, type VerifyingKey } from './strict-jws.ts'

/** Public keys as they are stored. */
export type PublicKeys = KeyClaims['keys']

/** One set of keys. */
export interface KeySet {
  jwks: PublicKeys
  /** `iat` of the statement it came with, 0 for those of enrolment. */
  issuedAt: number
  byId: ReadonlyMap<string, VerifyingKey>
}

const parseClaims = parser(KeyClaimsSchema, 'key statement', 'ERR_HUB_UNTRUSTED')
const statementBytes = 16_384

function refuse(why: string, cause?: unknown): SallyportError {
  return new SallyportError('ERR_HUB_UNTRUSTED', 'a key statement of the hub is not accepted', {
    why,
    cause,
  })
}

async function importKeys(jwks: PublicKeys): Promise<Map<string, VerifyingKey>> {
  const byId = new Map<string, VerifyingKey>()
  for (const { kid, ...jwk } of jwks) byId.set(kid, await importJWK(jwk, 'ES256'))
  return byId
}

/** The keys that count now. */
export class PinnedKeys {
  #set: KeySet

  private constructor(set: KeySet) {
    this.#set = set
  }

  /** @throws SallyportError ERR_STATE_INVALID when a kept key is damaged. */
  static async load(jwks: PublicKeys, issuedAt = 0): Promise<PinnedKeys> {
    try {
      return new PinnedKeys({ jwks, issuedAt, byId: await importKeys(jwks) })
    } catch (cause) {
      throw new SallyportError('ERR_STATE_INVALID', 'a pinned key of the hub is damaged', { cause })
    }
  }

  get(kid: string): VerifyingKey | undefined {
    return this.#set.byId.get(kid)
  }

  get ids(): string[] {
    return [...this.#set.byId.keys()]
  }

  /** The set as it is now. */
  get set(): KeySet {
    return this.#set
  }

  /**
   * Where the statements lead; nothing is pinned yet. Those of a key that is not pinned (any more), or older than the set, are
   * passed over: they are links before or beside ours.
   * @throws SallyportError ERR_HUB_UNTRUSTED when a statement names a pinned key and is not signed by it.
   */
  async follow(statements: readonly string[], issuer: string): Promise<KeySet> {
    let at = this.#set
    for (const statement of statements) at = await step(at, statement, issuer)
    return at
  }

  /** Pins another set. */
  adopt(set: KeySet): void {
    this.#set = set
  }
}

async function step(from: KeySet, statement: string, issuer: string): Promise<KeySet> {
  const rules: JwsRules = {
    typ: keyStatementType,
    maxBytes: statementBytes,
    keyOf: (kid) => from.byId.get(kid),
    refuse,
  }
  if (!from.byId.has(keyIdOf(statement, rules))) return from
  const { iss, iat, keys } = parseClaims(await verifyStrict(statement, rules))
  if (iss !== issuer) throw refuse('the issuer is not the pinned one')
  if (iat < from.issuedAt) return from
  try {
    return { jwks: keys, issuedAt: iat, byId: await importKeys(keys) }
  } catch (cause) {
    throw refuse('it names a damaged key', cause)
  }
}
