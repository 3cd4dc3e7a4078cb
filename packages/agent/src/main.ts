/**
 * The agent as a program: reads settings, enrols when needed, runs until told to stop. The only wiring of this package.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setDefaultHighWaterMark, type Writable } from 'node:stream'
import {
  agentApiPaths,
  agentStateFiles,
  isSallyportError,
  limits,
  SallyportError,
  version,
  type AgentState,
} from '@sallyport/protocol'
import { proxyFromEnvironment, type DialSettings } from '@sallyport/tunnel'
import type { Logger } from 'pino'
import { startAgent } from './agent.ts'
import { agentHelp, readConfig, type AgentConfig } from './config.ts'
import { ensureEnrolled, readAgentState } from './enrolment/enrol.ts'
import { HubClient } from './enrolment/hub-client.ts'
import { retry } from './enrolment/retry.ts'
import { ensureStateDirectory, writeStateFile } from './enrolment/state-files.ts'
import { lockState } from './enrolment/state-lock.ts'
import { startHealthServer, type AgentGauges } from './health-server.ts'
import { createLog } from './log.ts'
import { readKubernetesUid } from './upstream/cluster-report.ts'
import { HeadGuard } from './upstream/head-guard.ts'
import { loadUpstream } from './upstream/load-upstream.ts'
import type { UpstreamTarget } from './upstream/target.ts'

/** Everything the program takes from its process. */
export interface AgentOptions {
  /** Arguments after `agent`. */
  argv: string[]
  env: NodeJS.ProcessEnv
  stdout: Writable
  /** Gets the log, unless a log file is set. */
  stderr: Writable
  /** Ends the agent in an orderly way. */
  signal: AbortSignal
}

/** Exit code of a request head that would have left without its identity (sysexits EX_SOFTWARE). */
const violationExitCode = 70

const idleGauges: AgentGauges = {
  sessions: 0,
  links: 0,
  streams: 0,
  requests: 0,
  problems: 0,
  rbacObjects: 0,
  rbacRestored: 0,
  rbacConflicts: 0,
  listening: false,
  enrolled: false,
}

/** Runs an agent to its end. Resolves with the exit code; never rejects. */
export async function runAgent(options: AgentOptions): Promise<number> {
  let log: Logger | undefined
  try {
    const config = readConfig(options.argv, options.env)
    if (config === 'help') {
      options.stdout.write(agentHelp())
      return 0
    }
    log = createLog(config, options.stderr)
    await runWith(config, options, log)
    log.info({ event: 'agent.stopped' })
    return 0
  } catch (cause) {
    if (options.signal.aborted && !isSallyportError(cause)) {
      log?.info({ event: 'agent.stopped' })
      return 0
    }
    const error = isSallyportError(cause)
      ? cause
      : new SallyportError('ERR_INTERNAL', 'the agent failed', { cause })
    if (log === undefined) {
      const why = error.why === undefined ? '' : `: ${error.why}`
      options.stderr.write(`${error.code}: ${error.message}${why}; ${error.remedy}\n`)
    } else log.fatal({ event: 'agent.failed', err: error, remedy: error.remedy })
    return error.entry.exit
  }
}

async function runWith(config: AgentConfig, options: AgentOptions, log: Logger): Promise<void> {
  // Every TLS record would otherwise stop and start its reader (measured: 14–35 % of the CPU of a splice).
  setDefaultHighWaterMark(false, limits.relaySpliceHighWaterMarkBytes)
  const target = loadUpstream(config.kubeconfig, {
    ...(config.context === undefined ? {} : { context: config.context }),
    dangerouslySkipTlsVerify: config.dangerouslySkipTlsVerify,
  })
  if (!target.address.verify) log.warn({ event: 'upstream.unverified' })
  await ensureStateDirectory(config.stateDirectory)
  const lock = await lockState(config.stateDirectory)
  const heads = new HeadGuard({
    violation: (text) => {
      log.fatal({ event: 'guard.violated', message: text })
      process.exit(violationExitCode)
    },
  })
  heads.start()
  let gauges = (): AgentGauges => idleGauges
  const health =
    config.healthListen === undefined
      ? undefined
      : await startHealthServer(config.healthListen, () => gauges())
  if (health !== undefined) log.info({ event: 'health.listening', port: health.port })
  log.info({ event: 'agent.started', version, upstream: target.address.origin })
  try {
    while (!options.signal.aborted) {
      await runEnrolled({ config, options, log, target, heads, show: (read) => (gauges = read) })
    }
  } finally {
    await health?.close()
    heads.close()
    await lock.release()
  }
}

function dialSettings(ca: string | undefined, env: NodeJS.ProcessEnv): DialSettings {
  const proxy = proxyFromEnvironment(env)
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(proxy === undefined ? {} : { proxy }),
  }
}

interface Wiring {
  config: AgentConfig
  options: AgentOptions
  log: Logger
  target: UpstreamTarget
  heads: HeadGuard
  show: (read: () => AgentGauges) => void
}

/** One life as an enrolled agent: ends with the process, or when `connect` leaves a new enrolment. */
async function runEnrolled(wiring: Wiring): Promise<void> {
  const { config, options, log, target, heads } = wiring
  const state = await enrol(wiring)
  const { promise: superseded, resolve } = Promise.withResolvers<undefined>()
  const enrolmentFile = join(config.stateDirectory, agentStateFiles.enrolment)
  const agent = await startAgent({
    state,
    target,
    dial: dialSettings(state.ca, options.env),
    heads,
    log,
    rideOutMs: config.rideOutMs,
    saveState: (fresh) => writeStateFile(config.stateDirectory, agentStateFiles.agent, fresh),
    onBeat: () => {
      if (existsSync(enrolmentFile)) resolve(undefined)
    },
  })
  wiring.show(() => ({ ...agent.gauges(), enrolled: true }))
  const stop = (): void => {
    resolve(undefined)
  }
  options.signal.addEventListener('abort', stop, { once: true })
  if (options.signal.aborted) stop()
  await superseded
  options.signal.removeEventListener('abort', stop)
  log.info({ event: options.signal.aborted ? 'agent.stopping' : 'agent.enrolling_again' })
  await agent.close()
}

async function enrol({ config, options, log, target }: Wiring): Promise<AgentState> {
  const { signal } = options
  const onRetry = (err: SallyportError, inMs: number): void => {
    log.warn({ event: 'enrolment.waiting', err, retryInMs: inMs })
  }
  const before = await readAgentState(config.stateDirectory)
  const state = await ensureEnrolled({
    directory: config.stateDirectory,
    kubernetesUid: () => retry(() => readKubernetesUid(target, signal), { signal, onRetry }),
    redeem: async (file, prove) => {
      const client = new HubClient(file.hub, dialSettings(file.ca, options.env))
      const path = agentApiPaths.enrol
      try {
        const attempt = async (): Promise<unknown> =>
          client.post({ path, body: { proof: await prove() }, signal })
        return await retry(attempt, { signal, onRetry })
      } finally {
        await client.close()
      }
    },
    onRefused: (err) => {
      log.warn({ event: 'enrolment.refused', err })
    },
    signal,
  })
  if (before?.agentId !== state.agentId)
    log.info({ event: 'agent.enrolled', agentId: state.agentId, cluster: state.clusterId })
  return state
}
