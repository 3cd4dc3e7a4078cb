/**
 * The calls an enrolled agent makes to its hub, typed and signed.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import {
  agentApiPaths,
  AgentAssignmentsSchema,
  AgentGroupsSchema,
  AgentRelaysSchema,
  FeedResponseSchema,
  HeartbeatResponseSchema,
  parser,
  type AgentAssignments,
  type AgentGroups,
  type AgentState,
  type FeedRequest,
  type FeedResponse,
  type Heartbeat,
  type HeartbeatResponse,
  type RelayAccess,
} from '@sallyport/protocol'
import { readPrivateKey } from './agent-keys.ts'
import { agentAuthorization } from './assertion.ts'
import type { HubClient } from './hub-client.ts'

const parseHeartbeat = parser(HeartbeatResponseSchema, 'answer of the hub', 'ERR_HUB_UNREACHABLE')
const parseFeed = parser(FeedResponseSchema, 'answer of the hub', 'ERR_HUB_UNREACHABLE')
const parseAssignments = parser(AgentAssignmentsSchema, 'answer of the hub', 'ERR_HUB_UNREACHABLE')
const parseGroups = parser(AgentGroupsSchema, 'answer of the hub', 'ERR_HUB_UNREACHABLE')
const parseRelays = parser(AgentRelaysSchema, 'answer of the hub', 'ERR_HUB_UNREACHABLE')

/** Calls as one agent. Every call throws SallyportError; ERR_AGENT_UNKNOWN means the hub no longer knows this agent. */
export class HubApi {
  readonly #client: HubClient
  readonly #agent: { agentId: string; hub: string; key: KeyObject }

  constructor(client: HubClient, state: AgentState) {
    this.#client = client
    const key = readPrivateKey(state.agentKey, 'the key of the agent')
    this.#agent = { agentId: state.agentId, hub: state.hub, key }
  }

  async heartbeat(report: Heartbeat, signal: AbortSignal): Promise<HeartbeatResponse> {
    return parseHeartbeat(await this.#post(agentApiPaths.heartbeat, report, signal))
  }

  /** Relays to listen at, each with a fresh listen token. */
  async relays(signal: AbortSignal): Promise<RelayAccess[]> {
    return parseRelays(await this.#post(agentApiPaths.relays, {}, signal)).relays
  }

  /** The feed: held by the hub until there is news. */
  async feed(request: FeedRequest, signal: AbortSignal): Promise<FeedResponse> {
    return parseFeed(await this.#post(agentApiPaths.feed, request, signal))
  }

  /** All groups of the principal of a session of this cluster, nested ones included. */
  async groups(sessionId: string, signal: AbortSignal): Promise<AgentGroups> {
    return parseGroups(await this.#post(agentApiPaths.groups, { sessionId }, signal))
  }

  /** Every role assignment that applies to this cluster. */
  async assignments(signal: AbortSignal): Promise<AgentAssignments> {
    return parseAssignments(await this.#post(agentApiPaths.assignments, {}, signal))
  }

  async #post(path: string, body: object, signal: AbortSignal): Promise<unknown> {
    const authorization = await agentAuthorization(this.#agent, this.#client.hubNow())
    return this.#client.post({ path, body, authorization, signal })
  }
}
