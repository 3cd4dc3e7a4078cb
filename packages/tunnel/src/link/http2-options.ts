/**
 * HTTP/2 settings both ends of a link share (RFC 9113 section 6.5.2).
 * @module
 */
import type { SessionOptions } from 'node:http2'
import { limits } from '@sallyport/protocol'

const MiB = 1024 * 1024

/**
 * Options of both `http2.connect` and `http2.performServerHandshake`. Windows are large because window / round trip time is the
 * throughput of a stream; `StreamWindow` narrows them when there are many streams. The session memory counts what waits to be sent
 * on stalled streams, and node:http2 refuses every new stream beyond it: it must not be what is reached first. The spare streams
 * keep a renewal from queueing behind a full house of CONNECT streams.
 */
export const linkHttp2Options = {
  settings: {
    initialWindowSize: limits.linkStreamWindowBytes,
    maxFrameSize: limits.linkMaxFrameBytes,
    maxConcurrentStreams: limits.linkStreams + limits.linkSpareStreams,
    maxHeaderListSize: limits.httpMaxHeaderBytes,
    enablePush: false,
  },
  // What the client assumes before the agent's SETTINGS arrive; it does not wait for them.
  peerMaxConcurrentStreams: limits.linkStreams + limits.linkSpareStreams,
  maxSessionMemory: limits.linkSessionMemoryBytes / MiB,
  maxOutstandingPings: limits.linkOutstandingPings,
} as const satisfies SessionOptions
