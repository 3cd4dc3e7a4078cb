/**
 * The keys of cluster tokens over time: announced by a statement of the key before, signing after an overlap, verified until the
 * last token of the old one has run out, then gone.
 * @module
 */
import { SignJWT, decodeJwt } from 'jose'
import { SallyportError, keyStatementType, limits, type KeyClaims } from '@sallyport/protocol'
import type { Store } from '../store/store.ts'
import { readKeyFile, writeKeyFile, type KeyEntry, type KeyFile } from './cluster-key-file.ts'
import { readSetting, writeSetting } from './settings.ts'
import {
  makePrivateJwk,
  toSigningKey,
  type PublicSigningKey,
  type SigningKey,
} from './signing-key.ts'

/** After this time no token of a key that stopped signing is accepted anywhere. */
const outliveMs = limits.clusterTokenTtlMs + 2 * limits.clusterTokenSkewMs

/** A key with its place in time. */
interface HeldKey extends KeyEntry {
  key: SigningKey
}

/** What keys are made from. */
export interface ClusterKeysParts {
  path: string
  issuer: string
  store: Store
  now: () => number
}

/** All keys of one hub. Changes run one after the other and are in the file before they have an effect. */
export class ClusterKeys {
  readonly #parts: ClusterKeysParts
  #keys: HeldKey[]
  #statements: KeyFile['statements']
  #changing: Promise<unknown> = Promise.resolve()

  private constructor(parts: ClusterKeysParts, keys: HeldKey[], file: KeyFile) {
    this.#parts = parts
    this.#keys = keys
    this.#statements = file.statements
  }

  /**
   * Reads the keys, or makes the first.
   * @throws SallyportError ERR_STATE_INVALID when the file is damaged, or older than what agents already follow.
   */
  static async load(parts: ClusterKeysParts): Promise<ClusterKeys> {
    const { path, store } = parts
    const kept = readKeyFile(path)
    const file = kept ?? { keys: [newEntry('signing', parts.now())], statements: [] }
    const held = await Promise.all(file.keys.map((entry) => hold(entry, path)))
    if (!held.some(({ state }) => state === 'signing')) throw invalid(path, 'has no signing key')
    const keys = new ClusterKeys(parts, held, file)
    const known = await readSetting(store.db, 'clusterTokenKeyId')
    if (known !== undefined && !keys.#knows(known)) {
      throw invalid(path, 'is not the key the agents know')
    }
    if (kept === undefined) writeKeyFile(path, file)
    await writeSetting(store.db, 'clusterTokenKeyId', keys.signing.kid)
    return keys
  }

  /** The key that signs now. */
  get signing(): SigningKey {
    return this.#entry('signing').key
  }

  /** The announced key that does not sign yet. */
  get next(): { kid: string; announcedAt: number } | undefined {
    const found = this.#keys.find(({ state }) => state === 'next')
    return found === undefined ? undefined : { kid: found.key.kid, announcedAt: found.since }
  }

  /** Whether the signing key is as old as a key gets. */
  get isDue(): boolean {
    return this.#entry('signing').madeAt + limits.clusterTokenKeyTtlMs <= this.#parts.now()
  }

  /** Those agents verify with, the newest last. */
  publicKeys(): PublicSigningKey[] {
    return this.#keys.map(({ key }) => key.publicJwk)
  }

  /** What leads an agent that pins `keyIds` to the keys of now, oldest first. */
  statementsFor(keyIds: readonly string[]): string[] {
    const pinned = setOf(keyIds)
    const at = this.#statements.findLastIndex(({ kids }) => setOf(kids) === pinned)
    return this.#statements.slice(at + 1).map(({ statement }) => statement)
  }

  /** Makes the next key and announces it; the one already announced when there is one. @returns its id. */
  announce(): Promise<string> {
    return this.#change(async () => {
      if (this.next !== undefined) return this.next.kid
      const held = await hold(newEntry('next', this.#parts.now()), this.#parts.path)
      await this.#apply([...this.#keys, held], { announce: true })
      return held.key.kid
    })
  }

  /** The announced key signs from now on; the one before still verifies. */
  activate(): Promise<void> {
    return this.#change(async () => {
      if (this.next === undefined) return
      const since = this.#parts.now()
      const states = { next: 'signing', signing: 'old', old: 'old' } as const
      const keys = this.#keys.map((held) => {
        const state = states[held.state]
        return state === held.state ? held : { ...held, state, since }
      })
      await this.#apply(keys, { announce: false })
    })
  }

  /** Drops keys whose last token has run out. @returns whether there were any. */
  dropOld(): Promise<boolean> {
    return this.#change(async () => {
      const until = this.#parts.now() - outliveMs
      const keys = this.#keys.filter(({ state, since }) => state !== 'old' || since > until)
      if (keys.length === this.#keys.length) return false
      await this.#apply(keys, { announce: true })
      return true
    })
  }

  /** A key was stolen: a new one signs at once and no other is accepted. @returns its id. */
  retireNow(): Promise<string> {
    return this.#change(async () => {
      const held = await hold(newEntry('signing', this.#parts.now()), this.#parts.path)
      await this.#apply([held], { announce: true })
      return held.key.kid
    })
  }

  #entry(state: KeyEntry['state']): HeldKey {
    const found = this.#keys.find((held) => held.state === state)
    if (found === undefined) throw new TypeError(`no key is ${state}`)
    return found
  }

  #knows(kid: string): boolean {
    return (
      this.#keys.some(({ key }) => key.kid === kid) ||
      this.#statements.some(({ kids }) => kids.includes(kid))
    )
  }

  /** The statement is signed by the key that signed until now: every agent pins that one or has been led to it. */
  async #apply(keys: HeldKey[], { announce }: { announce: boolean }): Promise<void> {
    const statements = announce
      ? [...this.#statements, await this.#state(keys)].slice(-limits.keyStatements)
      : this.#statements
    const entries = keys.map(({ jwk, state, madeAt, since }) => ({ jwk, state, madeAt, since }))
    writeKeyFile(this.#parts.path, { keys: entries, statements })
    this.#keys = keys
    this.#statements = statements
    await writeSetting(this.#parts.store.db, 'clusterTokenKeyId', this.signing.kid)
  }

  async #state(keys: HeldKey[]): Promise<KeyFile['statements'][number]> {
    const { privateKey, kid } = this.signing
    const claims: KeyClaims = {
      iss: this.#parts.issuer,
      // Never before the last one, whatever the clock does: agents do not go back.
      iat: Math.max(Math.floor(this.#parts.now() / 1000), this.#lastIat),
      keys: keys.map(({ key }) => key.publicJwk),
    }
    const statement = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: keyStatementType, kid })
      .sign(privateKey)
    return { kids: keys.map(({ key }) => key.kid), statement }
  }

  get #lastIat(): number {
    const last = this.#statements.at(-1)
    return last === undefined ? 0 : (decodeJwt(last.statement).iat ?? 0)
  }

  #change<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(step)
    this.#changing = result.catch(() => undefined)
    return result
  }
}

function newEntry(state: KeyEntry['state'], now: number): KeyEntry {
  return { jwk: makePrivateJwk(), state, madeAt: now, since: now }
}

async function hold(entry: KeyEntry, path: string): Promise<HeldKey> {
  return { ...entry, key: await toSigningKey(entry.jwk, path) }
}

function setOf(kids: readonly string[]): string {
  return kids.toSorted().join(' ')
}

function invalid(path: string, what: string): SallyportError {
  return new SallyportError('ERR_STATE_INVALID', `${path} ${what}`, {
    remedy: `restore ${path} from a backup; without it every cluster has to be connected again`,
  })
}
