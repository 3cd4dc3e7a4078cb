/**
 * Agent processes on this machine: found again, not doubled, stopped, and what they said last.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { agentFailure, stopProcess, type AgentStart } from '../../src/agents/agent-process.ts'
import {
  findAgentRecord,
  isAgentRunning,
  listAgentRecords,
  writeAgentRecord,
  type AgentRecord,
} from '../../src/agents/agent-record.ts'
import { ensureAgent, forgetAgent } from '../../src/agents/ensure-agent.ts'
import { createOnboardingKey, writeEnrolment } from '../../src/agents/onboarding.ts'
import { isRunning } from '../../src/credentials/process-identity.ts'
import { cli, temporaryDirectory } from '../run-cli.ts'

/** A program in the place of `sallyport` that stays until SIGTERM; some ignore that. */
function place(behaviour = "process.on('SIGTERM', () => process.exit(0))") {
  const directory = temporaryDirectory()
  const program = join(directory, 'program.cjs')
  const stateDirectory = join(directory, 'state')
  mkdirSync(stateDirectory)
  const lock = join(stateDirectory, 'agent.lock')
  const ticks = "require('fs').readFileSync('/proc/self/stat','utf8').split(') ')[1].split(' ')[19]"
  writeFileSync(
    program,
    `${behaviour}
require('fs').writeFileSync(${JSON.stringify(lock)}, process.pid + ' ' + ${ticks})
setInterval(() => {}, 1000)`,
  )
  const start: AgentStart = {
    program,
    stateDirectory,
    kubeconfig: '/k',
    context: 'c',
    logFile: join(stateDirectory, 'agent.log'),
    env: { PATH: process.env['PATH'] },
  }
  const record: AgentRecord = {
    version: 1,
    clusterId:
      '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/n',
    hub: 'https://h',
    name: 'n',
    resourceGroup: 'g',
    kubernetesUid: 'u',
    stateDirectory,
    logFile: start.logFile,
    kubeconfig: '/k',
    context: 'c',
  }
  const configDirectory = join(directory, 'config')
  const ensure = async (known?: AgentRecord, mustRestart = false) => {
    const ensured = await ensureAgent({ record: known, mustRestart, start })
    onTestFinished(() => stopProcess(ensured.identity))
    return ensured
  }
  return { start, record, ensure, configDirectory, lock, directory }
}

/** Waits until the program has written its lock, so that signals find their handler. */
async function settled(lock: string, pid: number): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (existsSync(lock) && readFileSync(lock, 'utf8').startsWith(`${pid} `)) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('the program did not start')
}

describe('one agent for one state directory', () => {
  it('a running one is kept, restarted when it must be, never doubled', async () => {
    const { ensure, record, lock } = place()
    const first = await ensure()
    await settled(lock, first.identity.pid)
    const known = { ...record, ...first.identity }
    expect(isAgentRunning(known)).toBe(true)
    const again = await ensure(known)
    expect(again).toMatchObject({ isNew: false, identity: first.identity })
    const other = await ensure(known, true)
    expect(other.identity.pid).not.toBe(first.identity.pid)
    expect(isRunning(first.identity)).toBe(false)
    await settled(lock, other.identity.pid)
    const moved = await ensure({ ...record, ...other.identity, context: 'another' })
    expect(isRunning(other.identity)).toBe(false)
    expect(isRunning(moved.identity)).toBe(true)
  })
  it('one that a killed connect left behind unrecorded is stopped first', async () => {
    const { ensure, lock } = place()
    const orphan = await ensure()
    await settled(lock, orphan.identity.pid)
    const next = await ensure()
    expect(isRunning(orphan.identity)).toBe(false)
    expect(isRunning(next.identity)).toBe(true)
  })
  it('the lock of a dead one is removed, that of a stranger with its pid is left', async () => {
    const { ensure, lock } = place('process.exit(0)')
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    writeFileSync(lock, `${child.pid ?? 0} 1\n`)
    await ensure()
    expect(existsSync(lock)).toBe(false)
    writeFileSync(lock, `${process.pid} 1\n`)
    await ensure()
    expect(existsSync(lock)).toBe(true)
  })
})

describe('stopping', () => {
  it('forgets process, state and record', async () => {
    const { ensure, record, configDirectory, lock, start } = place()
    const { identity } = await ensure()
    await settled(lock, identity.pid)
    await writeAgentRecord(configDirectory, { ...record, ...identity })
    writeEnrolment(start.stateDirectory, {
      hub: 'https://h',
      clusterId: record.clusterId,
      onboardingKey: createOnboardingKey().privateKey,
    })
    expect(await forgetAgent(configDirectory, record.clusterId.toUpperCase())).toBe(true)
    expect(isRunning(identity)).toBe(false)
    expect(existsSync(start.stateDirectory)).toBe(false)
    expect(listAgentRecords(configDirectory)).toEqual([])
    expect(await forgetAgent(configDirectory, record.clusterId)).toBe(false)
  })
  it('agent list and agent stop', async () => {
    const { ensure, record, configDirectory, lock } = place()
    const { identity } = await ensure()
    await settled(lock, identity.pid)
    await writeAgentRecord(configDirectory, { ...record, ...identity })
    const env = { SALLYPORT_CONFIG_DIR: configDirectory }
    const list = await cli(['agent', 'list', '-o', 'json'], { env })
    expect(JSON.parse(list.stdout)).toMatchObject([
      { name: 'n', state: 'running', pid: identity.pid, logFile: record.logFile },
    ])
    expect((await cli(['agent', 'stop', 'nobody'], { env })).code).toBe(3)
    expect((await cli(['agent', 'stop', 'N'], { env })).code).toBe(0)
    expect(isRunning(identity)).toBe(false)
    expect((await cli(['agent', 'stop', '-n', 'n'], { env })).stderr).toContain('does not run')
    const after = await cli(['agent', 'list', '-o', 'json'], { env })
    expect(JSON.parse(after.stdout)).toMatchObject([{ state: 'stopped', pid: null }])
  })
  it('of two with one name asks for the group', async () => {
    const { record, configDirectory } = place()
    await writeAgentRecord(configDirectory, record)
    const clusterId = record.clusterId.replace('/g/', '/h/')
    await writeAgentRecord(configDirectory, { ...record, clusterId, resourceGroup: 'h' })
    const find = (resourceGroup: string | undefined) =>
      findAgentRecord(configDirectory, { name: 'n', resourceGroup })
    expect(() => find(undefined)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
    expect(find('H').clusterId).toBe(clusterId)
  })
})

describe('last words', () => {
  it('its own error, with the log named; not one of an earlier run', () => {
    const { start } = place()
    const line = (code: string) =>
      `${JSON.stringify({ level: 'fatal', event: 'agent.failed', err: { code, message: 'm', why: 'w' }, remedy: 'r' })}\n`
    const old = line('ERR_ENROLMENT_REFUSED')
    writeFileSync(start.logFile, `${old}${line('ERR_CLUSTER_ALREADY_CONNECTED')}not json\n`)
    expect(agentFailure('n', start.logFile, old.length)).toMatchObject({
      code: 'ERR_CLUSTER_ALREADY_CONNECTED',
      remedy: 'r',
      why: `w; log: ${start.logFile}`,
      entry: { exit: 8 },
    })
    writeFileSync(start.logFile, `${old}Segmentation fault\n`)
    expect(agentFailure('n', start.logFile, old.length)).toMatchObject({
      code: 'ERR_CHILD_FAILED',
      why: 'Segmentation fault',
    })
  })
})
