/**
 * What a proxy wrote where, on disk, so that the next start can take it back when the proxy was killed. No secrets in it.
 * @module
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { systemCode } from '../credentials/file-error.ts'
import { readPrivateFile, writePrivateFile } from '../credentials/private-file.ts'
import { isRunning } from '../credentials/process-identity.ts'
import { parseState } from '../credentials/profile.ts'

const ProxyRecordSchema = Type.Object({
  version: Type.Literal(1),
  id: Type.String({ pattern: '^[0-9a-f-]{8,64}$' }),
  pid: Type.Integer({ minimum: 1 }),
  started: Type.Optional(Type.String()),
  /** Kubeconfig, absolute. */
  file: Type.String(),
  context: Type.String(),
  /** current-context before, when this proxy changed it. */
  previous: Type.Optional(Type.String()),
  isCurrent: Type.Boolean(),
  /** The file did not exist before. */
  created: Type.Boolean(),
  /** SHA-256 of the file as written; with that content `reverse` restores every byte. */
  sha256: Type.String(),
  reverse: Type.Array(
    Type.Object({ start: Type.Integer(), end: Type.Integer(), text: Type.String() }),
  ),
  /** Started with --keep: the entries stay. */
  keep: Type.Optional(Type.Boolean()),
})
export type ProxyRecord = Static<typeof ProxyRecordSchema>

const directoryOf = (configDirectory: string) => join(configDirectory, 'proxies')
const pathOf = (configDirectory: string, id: string) =>
  join(directoryOf(configDirectory), `${id}.json`)

/** Writes a record. */
export function writeRecord(configDirectory: string, record: ProxyRecord): void {
  writePrivateFile(pathOf(configDirectory, record.id), `${JSON.stringify(record, undefined, 2)}\n`)
}

/** Removes a record. */
export function removeRecord(configDirectory: string, id: string): void {
  rmSync(pathOf(configDirectory, id), { force: true })
}

/** All records, the youngest first. A damaged one is removed: it can restore nothing. */
export function readRecords(configDirectory: string): ProxyRecord[] {
  let names: string[]
  try {
    names = readdirSync(directoryOf(configDirectory))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
  return names
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const path = join(directoryOf(configDirectory), name)
      try {
        const text = readPrivateFile(path)
        return text === undefined ? [] : [parseState(ProxyRecordSchema, path, text)]
      } catch {
        rmSync(path, { force: true })
        return []
      }
    })
    .sort((a, b) => b.id.localeCompare(a.id))
}

/** Whether the proxy of a record still runs. */
export function isLive({ pid, started }: ProxyRecord): boolean {
  return isRunning({ pid, ...(started === undefined ? {} : { started }) })
}
