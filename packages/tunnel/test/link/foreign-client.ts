/**
 * A client with certificate that speaks HTTP/2 as it likes, for the tests of the agent's end.
 * @module
 */
import { once } from 'node:events'
import * as http2 from 'node:http2'
import * as tls from 'node:tls'
import { acceptAgentLink, type AgentLink, type AgentLinkOptions } from '../../src/index.ts'
import { inSeconds, tcpPair, type Identities } from './link-pair.ts'

const { signal } = new AbortController()

/** Connects one to an agent link that accepts any bind. */
export async function foreignClient(
  ids: Identities,
  options: Partial<AgentLinkOptions> = {},
): Promise<{ session: http2.ClientHttp2Session; agent: AgentLink }> {
  const pair = await tcpPair()
  const socket = tls.connect({
    socket: pair.client,
    cert: ids.client.certificate,
    key: ids.client.privateKey,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
  })
  const bind = () =>
    Promise.resolve({ sessionId: 's', expiresAt: inSeconds(60), onStream: () => undefined })
  const [agent] = await Promise.all([
    acceptAgentLink(pair.agent, { identity: ids.agent, bind, signal, ...options }),
    once(socket, 'secureConnect'),
  ])
  const session = http2.connect('https://kubernetes', { createConnection: () => socket })
  session.on('error', () => undefined)
  return { session, agent }
}

/** Sends one request; resolves with status and body, or with the code of the reset. */
export async function send(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string,
): Promise<{ status?: number; body: string; reset: number }> {
  const request = session.request(headers, { endStream: false })
  request.on('error', () => undefined)
  const answer: { status?: number; body: string; reset: number } = { body: '', reset: 0 }
  request.on('response', (h) => {
    answer.status = h[':status'] ?? 0
    if (body === undefined) request.close()
  })
  request.on('data', (chunk: Buffer) => (answer.body += chunk.toString()))
  if (body !== undefined) request.end(Buffer.from(body))
  // Not `once`: it would reject on the error that a reset is.
  await new Promise((resolve) => request.once('close', resolve))
  answer.reset = request.rstCode
  return answer
}
