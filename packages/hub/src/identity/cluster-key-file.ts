/**
 * The file of the cluster-token keys: those of now, and the signed statements that led to them. Mode 0600, written whole.
 * @module
 */
import Type, { type Static } from 'typebox'
import { jsonParser, limits } from '@sallyport/protocol'
import { readPrivateFile, writePrivateFile } from '../server/data-directory.ts'
import { PrivateJwkSchema } from './signing-key.ts'

const Time = Type.Integer({ minimum: 0 })
const Kid = Type.String({ minLength: 1, maxLength: 128 })

/** One key. `next` is announced, `signing` signs, `old` only still verifies at the agents. */
const KeyEntry = Type.Object(
  {
    jwk: PrivateJwkSchema,
    state: Type.Union([Type.Literal('next'), Type.Literal('signing'), Type.Literal('old')]),
    madeAt: Time,
    /** When it came into `state`. */
    since: Time,
  },
  { additionalProperties: false },
)
export type KeyEntry = Static<typeof KeyEntry>

const KeyFile = Type.Object(
  {
    /** The newest last. */
    keys: Type.Array(KeyEntry, { minItems: 1, maxItems: 8 }),
    /** What agents that were away need to follow, oldest first; `kids` is the set each one announces. */
    statements: Type.Array(
      Type.Object({ kids: Type.Array(Kid), statement: Type.String({ minLength: 1 }) }),
      { maxItems: limits.keyStatements },
    ),
  },
  { additionalProperties: false },
)
export type KeyFile = Static<typeof KeyFile>

/** Reads the file; undefined when there is none. @throws SallyportError ERR_STATE_INVALID, ERR_FILE_ACCESS. */
export function readKeyFile(path: string): KeyFile | undefined {
  const kept = readPrivateFile(path)
  return kept === undefined ? undefined : jsonParser(KeyFile, path, 'ERR_STATE_INVALID')(kept)
}

/** Writes the file whole. @throws SallyportError ERR_FILE_ACCESS, ERR_STORE_FULL. */
export function writeKeyFile(path: string, file: KeyFile): void {
  writePrivateFile(path, `${JSON.stringify(file)}\n`)
}
