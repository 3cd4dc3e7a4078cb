/**
 * An agent behind relays and a hub, as one session sees them, for the tests of the session.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { type SallyportCredential } from '@sallyport/protocol'
import {
  ClientSession,
  acceptAgentLink,
  type AgentLink,
  type BindDecision,
  type BindPeer,
  type ClientSessionOptions,
  type SessionState,
} from '../../src/index.ts'
import { inSeconds, tcpPair, type Identities } from './link-pair.ts'

const { signal } = new AbortController()

/** An agent behind relays, and a hub that gives credentials for it. */
export class World {
  readonly #ids: Identities
  readonly sessionId = randomUUID()
  readonly dialled: string[] = []
  readonly tokens: string[] = []
  readonly states: SessionState[] = []
  readonly links: AgentLink[] = []
  readonly streamIds: number[] = []
  credentials = 0
  askedFor: (string | undefined)[] = []
  relays = ['a', 'b']
  lifetimeSeconds = 300
  onDial: (url: string) => Promise<void> = () => Promise.resolve()
  onCredential: () => Promise<void> = () => Promise.resolve()
  onBind: () => Promise<void> = () => Promise.resolve()

  constructor(ids: Identities) {
    this.#ids = ids
  }

  onPeer: (peer: BindPeer) => void = () => undefined

  readonly #bind: BindDecision = async (request, peer) => {
    await this.onBind()
    this.onPeer(peer)
    this.tokens.push(request.token)
    return {
      sessionId: this.sessionId,
      expiresAt: inSeconds(300),
      onStream: ({ id, stream }) => {
        this.streamIds.push(id)
        stream.on('error', () => undefined)
        stream.pipe(stream)
      },
    }
  }

  session(options: Partial<ClientSessionOptions> = {}): ClientSession {
    return new ClientSession({
      identity: this.#ids.client,
      dial: {},
      credential: (sessionId) => this.#credential(sessionId),
      checkAgentKey: () => undefined,
      onState: (state) => this.states.push(state),
      random: () => 0,
      dialRendezvous: async ({ url }) => {
        this.dialled.push(url)
        await this.onDial(url)
        const { client, agent } = await tcpPair()
        const accepting = acceptAgentLink(agent, {
          identity: this.#ids.agent,
          bind: this.#bind,
          signal,
        })
        accepting.then(
          (link) => this.links.push(link),
          () => undefined,
        )
        return { stream: client, mode: 'raw', id: url }
      },
      ...options,
    })
  }

  async #credential(sessionId: string | undefined): Promise<SallyportCredential> {
    this.askedFor.push(sessionId)
    await this.onCredential()
    this.credentials += 1
    return {
      clusterId: '/subscriptions/s/resourceGroups/g/providers/p/connectedClusters/c',
      sessionId: this.sessionId,
      relays: this.relays.map((url) => ({ url, token: 't', expiresAt: inSeconds(60) })),
      agentKeySha256: this.#ids.agent.keySha256,
      clusterToken: `token-${this.credentials}`,
      clusterTokenExpiresAt: inSeconds(this.lifetimeSeconds),
      serverTime: inSeconds(0),
    }
  }

  get lastStates(): string[] {
    return this.states.map(({ state }) => state)
  }
}
