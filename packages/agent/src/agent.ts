/**
 * One enrolled agent at work: heartbeat, control channels, links, sessions, forwarding.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import {
  clusterHash,
  formatClusterId,
  limits,
  parseClusterId,
  type AgentState,
  type SallyportError,
} from '@sallyport/protocol'
import { loadLinkIdentity, type DialSettings, type ListenerState } from '@sallyport/tunnel'
import type { Logger } from 'pino'
import { HeartbeatLoop } from './enrolment/heartbeat-loop.ts'
import { HubApi } from './enrolment/hub-api.ts'
import { HubClient } from './enrolment/hub-client.ts'
import { RelaySet } from './enrolment/relay-set.ts'
import type { AskGroups } from './groups/fetch-groups.ts'
import { HubWord } from './feed/hub-word.ts'
import type { AgentGauges } from './health-server.ts'
import { createClusterTokenVerifier } from './link/cluster-token.ts'
import { KubernetesServer } from './link/kubernetes-server.ts'
import { LinkSet } from './link/link-set.ts'
import { senderOf } from './link/sender.ts'
import { SessionRegistry } from './link/session-registry.ts'
import { Materialiser } from './materialise/materialiser.ts'
import { BindingWatch } from './upstream/binding-watch.ts'
import { readClusterReport } from './upstream/cluster-report.ts'
import type { HeadGuard } from './upstream/head-guard.ts'
import type { UpstreamTarget } from './upstream/target.ts'

/** What an agent is made of. */
export interface AgentParts {
  state: AgentState
  target: UpstreamTarget
  dial: DialSettings
  heads: HeadGuard
  log: Logger
  /** How long live sessions outlive the lease. */
  rideOutMs: number
  /** Writes the state whole, when the keys of the hub have changed. */
  saveState: (state: AgentState) => Promise<void>
  /** Called after each heartbeat: the moment to look for a new enrolment. */
  onBeat: () => void
}

/** A started agent. */
export interface RunningAgent {
  gauges(): Omit<AgentGauges, 'enrolled'>
  /** Heartbeat `stopping`, control channels closed, links drained for up to `gracefulStopMs`. */
  close(): Promise<void>
}

/** Id, counts and the hub's clock, shared by the parts of one agent. */
interface Vitals {
  /** Random id of this process. */
  instance: string
  problems: number
  requests: number
  /** Hub clock minus ours, as of the last heartbeat. */
  hubOffsetMs: number | undefined
  hubReachable: boolean
}

async function makeSessions(
  parts: AgentParts,
  vitals: Vitals,
  by: { server: KubernetesServer; api: HubApi; bindings: BindingWatch; hub: HubWord; hash: string },
): Promise<SessionRegistry> {
  const { state, target, heads, log } = parts
  const { server, api, bindings, hub } = by
  const askGroups: AskGroups = (sessionId, signal) => api.groups(sessionId, signal)
  return new SessionRegistry({
    verifier: await createClusterTokenVerifier({
      issuer: state.issuer,
      clusterHash: by.hash,
      keys: hub.keys,
      hubOffsetMs: () => vitals.hubOffsetMs,
    }),
    admission: hub.admission,
    senderOf: (claims) => senderOf({ claims, target, heads, askGroups, named: bindings }),
    onStream: (session, { stream }) => {
      session.streams++
      stream.once('close', () => {
        session.streams--
      })
      server.accept(stream, session)
    },
    onEvent: (what, session) => {
      const { sid, oid, auth } = session.info()
      if (what === 'ended') vitals.requests += session.requests
      log.info({ event: `session.${what}`, sid, oid, auth })
    },
    onProblem: (requestId, error) => {
      vitals.problems++
      const level = error.entry.status >= 500 ? 'warn' : 'info'
      log[level]({ event: 'request.refused', requestId, err: error })
    },
  })
}

function makeHeartbeat(
  parts: AgentParts,
  vitals: Vitals,
  from: { api: HubApi; isListening: () => boolean; onUnknown: () => void },
): HeartbeatLoop {
  const { log, target } = parts
  let unknown = 0
  return new HeartbeatLoop({
    api: from.api,
    instance: vitals.instance,
    isListening: from.isListening,
    report: (signal) => readClusterReport(target, signal),
    onBeat: ({ offsetMs }) => {
      unknown = 0
      vitals.hubOffsetMs = offsetMs
      if (!vitals.hubReachable) log.info({ event: 'hub.reached' })
      vitals.hubReachable = true
      if (Math.abs(offsetMs) > limits.clusterTokenSkewMs)
        log.warn({ event: 'clock.skewed', offsetMs: Math.round(offsetMs) })
      parts.onBeat()
    },
    onFailure: (what, err) => {
      if (what === 'heartbeat') vitals.hubReachable = false
      log.warn({ event: what === 'heartbeat' ? 'heartbeat.failed' : 'upstream.failed', err })
      // With a reason it is about this one request; without one the cluster is deleted. Said once, it may be a slip.
      if (err.code === 'ERR_AGENT_UNKNOWN' && err.why === undefined && ++unknown === unknownMax)
        from.onUnknown()
    },
  })
}

/** So many heartbeats in a row have to be refused before the role assignments of the cluster are taken out of it. */
const unknownMax = 3

function makeMaterialiser(
  { target, log }: AgentParts,
  from: { api: HubApi; hash: string },
): Materialiser {
  return new Materialiser({
    target,
    clusterHash: from.hash,
    fetch: (signal) => from.api.assignments(signal),
    log,
  })
}

function makeBindings({ target, log }: AgentParts): BindingWatch {
  return new BindingWatch({
    target,
    onChange: (err) => {
      if (err === undefined) log.info({ event: 'bindings.followed' })
      else log.warn({ event: 'bindings.failed', err })
    },
  })
}

function logListener(log: Logger, relay: string, state: ListenerState): void {
  if (state.state === 'waiting')
    log.warn({ event: 'relay.waiting', relay, err: state.error, retryInMs: state.retryInMs })
  else log.info({ event: `relay.${state.state}`, relay })
}

function makeLinks({ state, log }: AgentParts, sessions: SessionRegistry): LinkSet {
  return new LinkSet({
    identity: loadLinkIdentity({ certificate: state.linkCertificate, privateKey: state.linkKey }),
    sessions,
    onRefused: (what, err: SallyportError) => {
      log.warn({ event: `${what}.refused`, err })
    },
  })
}

function makeRelays(
  { dial, log }: AgentParts,
  to: { api: HubApi; accept: (stream: Duplex) => void; onChange: () => void },
): RelaySet {
  const onFailure = (err: SallyportError): void => {
    log.warn({ event: 'relays.failed', err })
  }
  return new RelaySet({
    api: to.api,
    dial,
    onRendezvous: ({ stream, mode, id }) => {
      log.debug({ event: 'rendezvous.accepted', mode, id })
      to.accept(stream)
    },
    onState: (url, listener) => {
      logListener(log, url, listener)
      to.onChange()
    },
    onRetry: onFailure,
    onFailure,
  })
}

/** Starts an enrolled agent. @throws SallyportError ERR_STATE_INVALID when its state is damaged. */
export async function startAgent(parts: AgentParts): Promise<RunningAgent> {
  const { state, dial } = parts
  const instance = randomUUID()
  const vitals: Vitals = {
    ...{ instance, problems: 0, requests: 0 },
    ...{ hubOffsetMs: undefined, hubReachable: false },
  }
  const server = new KubernetesServer()
  const client = new HubClient(state.hub, dial)
  const api = new HubApi(client, state)
  const bindings = makeBindings(parts)
  const hash = await clusterHash(formatClusterId(parseClusterId(state.clusterId)))
  const materialiser = makeMaterialiser(parts, { api, hash })
  const hub = await HubWord.create({
    ...parts,
    clusterHash: hash,
    api,
    instance,
    hubOffsetMs: () => vitals.hubOffsetMs,
  })
  const sessions = await makeSessions(parts, vitals, { server, api, bindings, hub, hash })
  const links = makeLinks(parts, sessions)
  const relays = makeRelays(parts, {
    api,
    accept: (stream) => {
      links.accept(stream)
    },
    onChange: () => {
      heartbeat.wake()
    },
  })
  const heartbeat: HeartbeatLoop = makeHeartbeat(parts, vitals, {
    api,
    isListening: () => relays.listening,
    onUnknown: () => {
      materialiser.forget()
    },
  })
  bindings.start()
  materialiser.start()
  hub.start({
    recheck: () => sessions.recheck(),
    onNews: ({ assignments, disabledFeatures }) => {
      materialiser.offer({ version: assignments, disabledFeatures })
    },
  })
  relays.start()
  heartbeat.start()
  const close = async (): Promise<void> => {
    await Promise.all([heartbeat.close(), relays.close()])
    await links.close()
    // Until the last link is gone revocations are heard.
    await hub.close()
    await Promise.all([bindings.close(), materialiser.close()])
    sessions.close()
    server.close()
    await client.close()
  }
  const gauges = () => gaugesOf(vitals, { sessions, links, relays, materialiser })
  return { gauges, close }
}

function gaugesOf(
  vitals: Vitals,
  of: { sessions: SessionRegistry; links: LinkSet; relays: RelaySet; materialiser: Materialiser },
): ReturnType<RunningAgent['gauges']> {
  return {
    sessions: of.sessions.size,
    links: of.links.size,
    streams: of.links.streams,
    requests: vitals.requests + of.sessions.requests,
    problems: vitals.problems,
    listening: of.relays.listening,
    ...of.materialiser.gauges,
  }
}
