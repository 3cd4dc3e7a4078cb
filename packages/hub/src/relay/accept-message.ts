/**
 * The message that tells a listener of a waiting sender.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { hybridConnection, limits, SallyportError, type AcceptMessage } from '@sallyport/protocol'
import type { RelayRequest } from './relay-request.ts'

/** Where the listener reaches this relay, and the secret that names the waiting sender. */
export interface AcceptTarget {
  scheme: 'ws' | 'wss'
  host: string
  addressId: string
}

/** Longest accept address listeners have to take (schema of the control message). */
const maxAddressLength = 8192

/** Headers that carry credentials of the relay itself; the listener has no business with them. */
const withheld = new Set<string>([hybridConnection.tokenHeader])

/**
 * The `accept` message as JSON text.
 * @throws SallyportError ERR_RELAY_PROTOCOL when URL or headers of the sender do not fit into it.
 */
export function acceptMessage(
  target: AcceptTarget,
  sender: { request: IncomingMessage; parsed: RelayRequest; id: string },
): string {
  const { passedQuery, rawPath } = sender.parsed
  const own = `${hybridConnection.action}=accept&${hybridConnection.id}=${target.addressId}`
  // Ours come last: what a listener appends for a rejection is told from the sender's parameters by its place.
  const query = passedQuery === '' ? own : `${passedQuery}&${own}`
  const address = `${target.scheme}://${target.host}${hybridConnection.pathPrefix}${rawPath}?${query}`
  const { socket } = sender.request
  const message: AcceptMessage = {
    accept: {
      address,
      id: sender.id,
      connectHeaders: connectHeaders(sender.request.rawHeaders),
      remoteEndpoint: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    },
  }
  const text = JSON.stringify(message)
  if (
    address.length > maxAddressLength ||
    Buffer.byteLength(text) > limits.relayControlMessageBytes
  ) {
    throw new SallyportError(
      'ERR_RELAY_PROTOCOL',
      'the request is malformed: its URL or headers are too long',
    )
  }
  return text
}

function connectHeaders(raw: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>()
  const spelling = new Map<string, string>()
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    if (withheld.has(name.toLowerCase())) continue
    const first = spelling.get(name.toLowerCase()) ?? name
    spelling.set(name.toLowerCase(), first)
    const earlier = headers.get(first)
    headers.set(first, earlier === undefined ? value : `${earlier}, ${value}`)
  }
  return Object.fromEntries(headers)
}
