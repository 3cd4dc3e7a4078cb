/**
 * Keys that are replaced while everything keeps working: the newest is used, older ones are accepted for a while longer.
 * One private file holds them all.
 * @module
 */
import Type from 'typebox'
import { jsonParser, limits } from '@sallyport/protocol'
import { readPrivateFile, writePrivateFile } from '../server/data-directory.ts'

/** What one kind of key is made from. `Kept` is its JSON, `Key` what it is used as. */
export interface KeyKind<Kept, Key> {
  make: () => Kept
  /** @throws SallyportError ERR_STATE_INVALID. */
  load: (kept: unknown, path: string) => Promise<{ kept: Kept; key: Key }>
  /** The keys of a file as it was written before keys rotated; undefined when it is not such a file. */
  readOld: (content: unknown) => unknown[] | undefined
}

interface Entry<Kept, Key> {
  kept: Kept
  key: Key
  /** Unix milliseconds. */
  createdAt: number
  /** When the next key took over; null: it is the one in use. */
  retiredAt: number | null
}

const File = Type.Object({
  keys: Type.Array(
    Type.Object({
      createdAt: Type.Integer(),
      retiredAt: Type.Union([Type.Integer(), Type.Null()]),
      key: Type.Unknown(),
    }),
    { minItems: 1, maxItems: 64 },
  ),
})

/** The keys of one use; lives as long as the hub. */
export class RotatingKeys<Kept, Key> {
  readonly #path: string
  readonly #kind: KeyKind<Kept, Key>
  readonly #now: () => number
  #entries: Entry<Kept, Key>[]
  #rotating: Promise<void> = Promise.resolve()

  private constructor(
    parts: { path: string; kind: KeyKind<Kept, Key>; now: () => number },
    entries: Entry<Kept, Key>[],
  ) {
    this.#path = parts.path
    this.#kind = parts.kind
    this.#now = parts.now
    this.#entries = entries
  }

  /**
   * Reads the keys, or makes the first.
   * @throws SallyportError ERR_STATE_INVALID (damaged), ERR_FILE_ACCESS (others can read it), ERR_STORE_FULL.
   */
  static async open<Kept, Key>(parts: {
    path: string
    kind: KeyKind<Kept, Key>
    now: () => number
  }): Promise<RotatingKeys<Kept, Key>> {
    const { path, kind } = parts
    const text = readPrivateFile(path)
    const found = text === undefined ? { isOld: false, keys: [] } : readEntries(text, parts)
    const entries = await Promise.all(
      found.keys.map(async (entry) => ({ ...entry, ...(await kind.load(entry.key, path)) })),
    )
    const keys = new RotatingKeys(parts, entries)
    if (entries.length === 0) await keys.rotate()
    // From now on the file knows how old its keys are.
    else if (found.isOld) keys.#write(entries)
    return keys
  }

  /** The key in use. */
  get current(): Key {
    const [newest] = this.#entries
    if (newest === undefined) throw new TypeError('there is always a key')
    return newest.key
  }

  /** All keys that are accepted now, the one in use first. */
  get accepted(): Key[] {
    const after = this.#now() - limits.signingKeyOverlapMs
    return this.#entries
      .filter(({ retiredAt }) => retiredAt === null || retiredAt > after)
      .map(({ key }) => key)
  }

  /**
   * Makes a new key and uses it from now on; it is on the disk before it is used. One at a time. With `retire: 'now'` the older
   * keys are worth nothing from here on.
   */
  rotate(retire?: 'now'): Promise<void> {
    const next = this.#rotating.then(() => this.#rotateOnce(retire))
    this.#rotating = next.catch(() => undefined)
    return next
  }

  /** Rotates when the key in use is older than `limits.signingKeyMaxAgeMs`; returns whether it did. */
  async rotateWhenOld(): Promise<boolean> {
    const [newest] = this.#entries
    const isOld =
      newest !== undefined && this.#now() - newest.createdAt >= limits.signingKeyMaxAgeMs
    if (isOld) await this.rotate()
    return isOld
  }

  async #rotateOnce(retire?: 'now'): Promise<void> {
    const now = this.#now()
    const made = await this.#kind.load(this.#kind.make(), this.#path)
    const older = this.#entries.map((entry) => ({ ...entry, retiredAt: entry.retiredAt ?? now }))
    const kept = older.filter(
      ({ retiredAt }) => retire !== 'now' && now - retiredAt < limits.signingKeyOverlapMs,
    )
    const entries = [{ ...made, createdAt: now, retiredAt: null }, ...kept]
    const keys = entries.slice(0, limits.signingKeysKept)
    this.#write(keys)
    this.#entries = keys
  }

  #write(entries: Entry<Kept, Key>[]): void {
    const keys = entries.map(({ createdAt, retiredAt, kept: key }) => ({
      createdAt,
      retiredAt,
      key,
    }))
    writePrivateFile(this.#path, `${JSON.stringify({ keys })}\n`)
  }
}

function readEntries<Kept, Key>(
  text: string,
  { path, kind, now }: { path: string; kind: KeyKind<Kept, Key>; now: () => number },
): { isOld: boolean; keys: { createdAt: number; retiredAt: number | null; key: unknown }[] } {
  const content = jsonParser(Type.Unknown(), path, 'ERR_STATE_INVALID')(text)
  const old = kind.readOld(content)
  if (old === undefined) {
    return { isOld: false, keys: jsonParser(File, path, 'ERR_STATE_INVALID')(text).keys }
  }
  const at = now()
  const keys = old.map((key, index) => ({ key, createdAt: at, retiredAt: index === 0 ? null : at }))
  return { isOld: true, keys }
}
