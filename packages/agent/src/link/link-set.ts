/**
 * All links of the agent: accepts one for each rendezvous, up to the limit, and ends them together.
 * @module
 */
import type { Duplex } from 'node:stream'
import { isSallyportError, limits, SallyportError } from '@sallyport/protocol'
import { acceptAgentLink, type AgentLink, type LinkIdentity } from '@sallyport/tunnel'
import type { SessionRegistry } from './session-registry.ts'

/** What the set is made of. */
export interface LinkSetOptions {
  identity: LinkIdentity
  sessions: SessionRegistry
  /** A handshake or a bind was refused; the precise reason, for the log. */
  onRefused: (what: 'link' | 'bind', error: SallyportError) => void
}

/** The links, from the first rendezvous to `close()`. */
export class LinkSet {
  readonly #options: LinkSetOptions
  readonly #links = new Set<AgentLink>()
  readonly #stop = new AbortController()
  #pending = 0

  constructor(options: LinkSetOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#links.size
  }

  get streams(): number {
    let sum = 0
    for (const link of this.#links) sum += link.streams
    return sum
  }

  /** Takes a rendezvous; the stream belongs to the link from here on. Never throws. */
  accept(stream: Duplex): void {
    if (this.#links.size + this.#pending >= limits.linksPerAgent || this.#stop.signal.aborted) {
      stream.on('error', () => undefined)
      stream.destroy()
      const error = new SallyportError('ERR_AGENT_BUSY', 'the agent has no room for another link')
      this.#options.onRefused('link', error)
      return
    }
    void this.#accept(stream)
  }

  /** Lets streams end for up to `gracefulStopMs`, then ends the links. */
  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all(Array.from(this.#links, (link) => link.close()))
    for (const link of this.#links) link.destroy()
  }

  async #accept(stream: Duplex): Promise<void> {
    const { identity, sessions, onRefused } = this.#options
    this.#pending++
    try {
      const link = await acceptAgentLink(stream, {
        identity,
        bind: (request, peer) => sessions.bind(request, peer),
        onBindError: (error) => {
          onRefused('bind', error)
        },
        signal: this.#stop.signal,
      })
      this.#links.add(link)
      void link.closed.then(() => this.#links.delete(link))
    } catch (cause) {
      stream.destroy()
      onRefused(
        'link',
        isSallyportError(cause)
          ? cause
          : new SallyportError('ERR_LINK_HANDSHAKE', 'the link was not made', { cause }),
      )
    } finally {
      this.#pending--
    }
  }
}
