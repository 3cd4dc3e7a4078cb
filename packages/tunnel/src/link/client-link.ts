/**
 * Client end of a link: pins the agent's key, binds, opens streams.
 * @module
 */
import * as http2 from 'node:http2'
import type { Duplex } from 'node:stream'
import {
  SallyportError,
  isSallyportError,
  limits,
  streamAuthority,
  streamIdHeader,
  type BindResponse,
} from '@sallyport/protocol'
import { exchangeBind } from './bind-exchange.ts'
import { linkHttp2Options } from './http2-options.ts'
import { certificateKeySha256, type LinkIdentity } from './identity.ts'
import { LinkLife, type LinkEnd } from './link-life.ts'
import { secureAsClient } from './link-tls.ts'

/** What `openClientLink` needs beside the stream. `signal` bounds the opening only. */
export interface ClientLinkOptions {
  identity: LinkIdentity
  /** SNI; has no meaning to the agent. */
  serverName: string
  /** Throws to refuse the agent; called with the SHA-256 of its SPKI, base64url, before any byte of HTTP/2 is sent. */
  checkAgentKey: (keySha256: string) => void
  signal: AbortSignal
  /** Next stream id of the session; ids ascend and are never reused, so one counter serves all links of a session. */
  nextStreamId?: () => number
}

/** A live link as its user sees it. */
export interface ClientLink {
  /**
   * Presents a cluster token; the first call must succeed before streams open, later ones renew. `hubOffsetMs` is the hub's clock
   * minus ours: a refusal can then say whose clock is off.
   */
  bind(token: string, signal: AbortSignal, hubOffsetMs?: number): Promise<BindResponse>
  /** One CONNECT stream. Bytes may be written at once. @throws SallyportError ERR_LINK_LOST after the end, ERR_AGENT_BUSY at `linkStreams`. */
  openStream(): Duplex
  readonly streams: number
  readonly agentKeySha256: string
  /** False after GOAWAY or the end: open streams may still finish. */
  readonly open: boolean
  /** Resolves when `open` turns false, with the error when that is the reason. */
  readonly draining: Promise<LinkEnd>
  /** Never rejects. */
  readonly closed: Promise<LinkEnd>
  /** GOAWAY, waits for streams up to `gracefulStopMs`. */
  close(): Promise<void>
  destroy(error?: SallyportError): void
}

/**
 * TLS, pin, HTTP/2. The stream belongs to the link from here on and is destroyed on failure.
 * @throws SallyportError ERR_LINK_HANDSHAKE, what `checkAgentKey` threw, or the abort's.
 */
export async function openClientLink(
  stream: Duplex,
  options: ClientLinkOptions,
): Promise<ClientLink> {
  const { socket, peer } = await secureAsClient(stream, options)
  const agentKeySha256 = certificateKeySha256(peer)
  try {
    options.checkAgentKey(agentKeySha256)
  } catch (error) {
    socket.destroy()
    throw isSallyportError(error)
      ? error
      : new SallyportError('ERR_LINK_HANDSHAKE', 'the key of the agent was refused', {
          cause: error,
        })
  }
  const session = http2.connect(`https://${streamAuthority}`, {
    ...linkHttp2Options,
    createConnection: () => socket,
  })
  session.setLocalWindowSize(limits.linkSessionWindowBytes)
  return new Http2ClientLink({
    session,
    life: new LinkLife('client', session, socket),
    agentKeySha256,
    nextStreamId: options.nextStreamId ?? countFromOne(),
  })
}

function countFromOne(): () => number {
  let last = 0
  return () => (last += 1)
}

class Http2ClientLink implements ClientLink {
  readonly agentKeySha256: string
  readonly #session: http2.ClientHttp2Session
  readonly #life: LinkLife
  readonly #nextStreamId: () => number

  constructor(parts: {
    session: http2.ClientHttp2Session
    life: LinkLife
    agentKeySha256: string
    nextStreamId: () => number
  }) {
    this.#session = parts.session
    this.#life = parts.life
    this.agentKeySha256 = parts.agentKeySha256
    this.#nextStreamId = parts.nextStreamId
  }

  get streams(): number {
    return this.#life.streams
  }

  get open(): boolean {
    return this.#life.open
  }

  get draining(): Promise<LinkEnd> {
    return this.#life.draining
  }

  get closed(): Promise<LinkEnd> {
    return this.#life.closed
  }

  bind(token: string, signal: AbortSignal, hubOffsetMs?: number): Promise<BindResponse> {
    if (!this.open) return Promise.reject(notOpen())
    return exchangeBind(this.#session, { token, hubOffsetMs }, signal)
  }

  openStream(): Duplex {
    if (!this.open) throw notOpen()
    if (this.streams >= limits.linkStreams) {
      throw new SallyportError('ERR_AGENT_BUSY', `this link has ${this.streams} streams already`)
    }
    return this.#life.adopt(
      this.#session.request(
        {
          ':method': 'CONNECT',
          ':authority': streamAuthority,
          [streamIdHeader]: String(this.#nextStreamId()),
        },
        { endStream: false },
      ),
    )
  }

  close(): Promise<void> {
    return this.#life.close()
  }

  destroy(error?: SallyportError): void {
    this.#life.destroy(error)
  }
}

const notOpen = (): SallyportError =>
  new SallyportError('ERR_LINK_LOST', 'the link takes no new streams')
