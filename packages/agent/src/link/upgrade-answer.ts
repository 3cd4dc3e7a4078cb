/**
 * Whether a 101 is the answer to what was asked.
 * @module
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** RFC 6455 section 1.3. */
const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** What is wrong with a 101 answer, or undefined when it answers the request. */
export function upgradeAnswerProblem(
  request: IncomingMessage,
  answer: IncomingMessage,
): string | undefined {
  const asked = (request.headers.upgrade ?? '').toLowerCase()
  if (answer.statusCode !== 101) return 'the API server upgraded without a 101'
  if ((answer.headers.upgrade ?? '').toLowerCase() !== asked)
    return 'the API server switched to another protocol than the one asked for'
  if (asked !== 'websocket') return undefined
  const key = request.headers['sec-websocket-key'] ?? ''
  const accept = createHash('sha1').update(`${key}${webSocketGuid}`).digest('base64')
  if (answer.headers['sec-websocket-accept'] !== accept)
    return 'the API server answered with a wrong Sec-WebSocket-Accept'
  return undefined
}
