/**
 * RST_STREAM codes and our errors, both directions (docs/protocol.md section 2.2).
 * @module
 */
import { constants } from 'node:http2'
import { isSallyportError, SallyportError } from '@sallyport/protocol'

/** Which end of the link this is: a broken stream is CANCEL from the client, CONNECT_ERROR from the agent. */
export type LinkRole = 'client' | 'agent'

/** The code with which a stream destroyed by `error` is reset. */
export function resetCode(role: LinkRole, error: Error | null): number {
  if (isSallyportError(error)) {
    if (error.code === 'ERR_AGENT_BUSY') return constants.NGHTTP2_REFUSED_STREAM
    if (error.code === 'ERR_REQUEST_INVALID') return constants.NGHTTP2_PROTOCOL_ERROR
  }
  return role === 'agent' && error !== null
    ? constants.NGHTTP2_CONNECT_ERROR
    : constants.NGHTTP2_CANCEL
}

/** What a reset by the peer means to the one who reads the stream. */
export function resetError(code: number): SallyportError {
  const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_CONNECT_ERROR } = constants
  switch (code) {
    case NGHTTP2_CANCEL:
      return new SallyportError('ERR_INTERRUPTED', 'the peer gave the stream up')
    case NGHTTP2_REFUSED_STREAM:
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return new SallyportError('ERR_AGENT_BUSY', 'the agent takes no more streams')
    case NGHTTP2_CONNECT_ERROR:
      return new SallyportError('ERR_UPSTREAM_UNREACHABLE', 'the agent side of the stream broke')
    case constants.NGHTTP2_PROTOCOL_ERROR:
      return new SallyportError('ERR_REQUEST_INVALID', 'the peer refused the stream')
    default:
      return new SallyportError('ERR_LINK_LOST', 'the stream broke', {
        why: `HTTP/2 error ${code}`,
      })
  }
}

/** Any error of a stream or session as one of ours. */
export function linkError(error: unknown): SallyportError {
  if (isSallyportError(error)) return error
  const why = error instanceof Error && 'code' in error ? String(error.code) : undefined
  return new SallyportError('ERR_LINK_LOST', 'the link broke', {
    cause: error,
    ...(why === undefined ? {} : { why }),
  })
}
