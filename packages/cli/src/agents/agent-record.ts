/**
 * Agents started on this machine: one file each, in the configuration directory of the user who started it.
 * @module
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { SallyportError, clusterHash } from '@sallyport/protocol'
import { systemCode } from '../credentials/file-error.ts'
import { readPrivateFile, writePrivateFile } from '../credentials/private-file.ts'
import { isRunning } from '../credentials/process-identity.ts'
import { parseState } from '../credentials/profile.ts'

const AgentRecordSchema = Type.Object({
  version: Type.Literal(1),
  /** ARM id of the cluster. */
  clusterId: Type.String(),
  hub: Type.String(),
  name: Type.String(),
  resourceGroup: Type.String(),
  /** UID of namespace kube-system. */
  kubernetesUid: Type.String(),
  stateDirectory: Type.String(),
  logFile: Type.String(),
  kubeconfig: Type.String(),
  context: Type.String(),
  /** The process; absent while it was never started. */
  pid: Type.Optional(Type.Integer({ minimum: 1 })),
  started: Type.Optional(Type.String()),
})
export type AgentRecord = Static<typeof AgentRecordSchema>

const directoryOf = (configDirectory: string) => join(configDirectory, 'agents')

async function pathOf(configDirectory: string, clusterId: string): Promise<string> {
  return join(directoryOf(configDirectory), `${(await clusterHash(clusterId)).slice(0, 32)}.json`)
}

/** The record of a cluster, undefined when no agent of it was started here. */
export async function readAgentRecord(
  configDirectory: string,
  clusterId: string,
): Promise<AgentRecord | undefined> {
  const path = await pathOf(configDirectory, clusterId)
  const text = readPrivateFile(path)
  return text === undefined ? undefined : parseState(AgentRecordSchema, path, text)
}

/** Writes a record. */
export async function writeAgentRecord(
  configDirectory: string,
  record: AgentRecord,
): Promise<void> {
  const path = await pathOf(configDirectory, record.clusterId)
  writePrivateFile(path, `${JSON.stringify(record, undefined, 2)}\n`)
}

/** Removes the record of a cluster. */
export async function removeAgentRecord(configDirectory: string, clusterId: string): Promise<void> {
  rmSync(await pathOf(configDirectory, clusterId), { force: true })
}

/** All records, by name. */
export function listAgentRecords(configDirectory: string): AgentRecord[] {
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
      const text = readPrivateFile(path)
      return text === undefined ? [] : [parseState(AgentRecordSchema, path, text)]
    })
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** The one agent with this name. @throws SallyportError ERR_ARM_NOT_FOUND; ERR_USAGE when several have it. */
export function findAgentRecord(
  configDirectory: string,
  wanted: { name: string; resourceGroup: string | undefined },
): AgentRecord {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  const found = listAgentRecords(configDirectory).filter(
    ({ name, resourceGroup }) =>
      same(name, wanted.name) &&
      (wanted.resourceGroup === undefined || same(resourceGroup, wanted.resourceGroup)),
  )
  const [first] = found
  if (first === undefined) {
    throw new SallyportError(
      'ERR_ARM_NOT_FOUND',
      `no agent of '${wanted.name}' was started on this machine`,
      {
        remedy: 'list those that were: sallyport agent list',
      },
    )
  }
  if (found.length === 1) return first
  throw new SallyportError('ERR_USAGE', `there are ${found.length} agents named '${wanted.name}'`, {
    remedy: `name one: -n ${wanted.name} -g ${first.resourceGroup}`,
  })
}

/** Whether the process of a record runs. */
export function isAgentRunning({ pid, started }: AgentRecord): boolean {
  return pid !== undefined && isRunning({ pid, ...(started === undefined ? {} : { started }) })
}
