/**
 * Agent end of a link: demands a client certificate and a bind, then hands over streams.
 * @module
 */
import * as http2 from 'node:http2'
import type { Duplex } from 'node:stream'
import {
  SallyportError,
  bindPath,
  limits,
  requestIdHeader,
  streamAuthority,
  streamIdHeader,
} from '@sallyport/protocol'
import { BindGate, type BindGateOptions, type BoundSession } from './bind-gate.ts'
import { linkHttp2Options } from './http2-options.ts'
import { certificateThumbprint, type LinkIdentity } from './identity.ts'
import { LinkLife, type LinkEnd } from './link-life.ts'
import { secureAsServer } from './link-tls.ts'

/** A live link as the agent sees it. */
export interface AgentLink {
  readonly peerCertificateThumbprint: string
  /** Never rejects. */
  readonly closed: Promise<LinkEnd>
  readonly streams: number
  /** GOAWAY, waits for streams up to `gracefulStopMs`. */
  close(): Promise<void>
  destroy(error?: SallyportError): void
}

/** What `acceptAgentLink` needs beside the stream. `signal` bounds the handshake only. */
export interface AgentLinkOptions extends BindGateOptions {
  identity: LinkIdentity
  signal: AbortSignal
}

/**
 * Resolves after the TLS handshake; the bind has `bindTimeoutMs` from then. The stream belongs to the link from here on.
 * @throws SallyportError ERR_LINK_HANDSHAKE or the abort's; the stream is then destroyed.
 */
export async function acceptAgentLink(
  stream: Duplex,
  options: AgentLinkOptions,
): Promise<AgentLink> {
  const { socket, peer } = await secureAsServer(stream, options)
  const session = http2.performServerHandshake(socket, linkHttp2Options)
  session.setLocalWindowSize(limits.linkSessionWindowBytes)
  return new Http2AgentLink({
    session,
    life: new LinkLife('agent', session, socket),
    peerCertificateThumbprint: certificateThumbprint(peer),
    options,
  })
}

class Http2AgentLink implements AgentLink {
  readonly peerCertificateThumbprint: string
  readonly #life: LinkLife
  readonly #gate: BindGate
  #lastStreamId = 0

  constructor(parts: {
    session: http2.Http2Session
    life: LinkLife
    peerCertificateThumbprint: string
    options: AgentLinkOptions
  }) {
    this.peerCertificateThumbprint = parts.peerCertificateThumbprint
    this.#life = parts.life
    this.#gate = new BindGate(parts.life, parts.peerCertificateThumbprint, parts.options)
    parts.session.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
      // Whoever owns the stream later adds its own; a reset in between must not be an uncaught error.
      stream.on('error', () => undefined)
      this.#onStream(stream, headers)
    })
  }

  get streams(): number {
    return this.#life.streams
  }

  get closed(): Promise<LinkEnd> {
    return this.#life.closed
  }

  close(): Promise<void> {
    return this.#life.close()
  }

  destroy(error?: SallyportError): void {
    this.#life.destroy(error)
  }

  #onStream(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    const method = headers[':method']
    const session = this.#gate.session
    if (method === 'POST' && headers[':path'] === bindPath) void this.#gate.onBind(stream)
    else if (method === 'CONNECT' && session !== undefined) {
      this.#onConnect(stream, headers, session)
    } else {
      // Only our own client speaks here: any other request is a fault or a probe.
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
      this.destroy(
        new SallyportError('ERR_LINK_HANDSHAKE', 'the client did not follow the protocol', {
          why: method === 'CONNECT' ? 'CONNECT before an accepted bind' : 'unknown request',
        }),
      )
    }
  }

  #onConnect(
    stream: http2.ServerHttp2Stream,
    headers: http2.IncomingHttpHeaders,
    session: BoundSession,
  ): void {
    const id = streamId(headers[streamIdHeader])
    if (headers[':authority'] !== streamAuthority || id === undefined || id <= this.#lastStreamId) {
      stream.close(http2.constants.NGHTTP2_PROTOCOL_ERROR)
      return
    }
    this.#lastStreamId = id
    if (this.streams >= limits.linkStreams) {
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
      return
    }
    stream.respond({ ':status': http2.constants.HTTP_STATUS_OK })
    const requestId = headers[requestIdHeader]
    const duplex = this.#life.adopt(stream)
    try {
      session.onStream({
        id,
        stream: duplex,
        ...(typeof requestId === 'string' && requestIdPattern.test(requestId) ? { requestId } : {}),
      })
    } catch (cause) {
      duplex.on('error', () => undefined)
      duplex.destroy(new SallyportError('ERR_INTERNAL', 'the stream was not taken', { cause }))
    }
  }
}

const requestIdPattern = /^[\w.:-]{1,128}$/

/** The stream id, or undefined when it is missing, doubled or not a positive safe integer in plain decimal. */
function streamId(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value) ? Number(value) : undefined
}
