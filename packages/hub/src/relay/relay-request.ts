/**
 * What an upgrade request on `/$hc/…` asks for.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import {
  hybridConnection,
  hybridConnectionActions,
  limits,
  SallyportError,
  type HybridConnectionAction,
} from '@sallyport/protocol'

/** A parsed request. `path` has no slash at its ends; `rawPath` and `passedQuery` go into accept addresses as they came. */
export interface RelayRequest {
  action: HybridConnectionAction
  path: string
  rawPath: string
  passedQuery: string
  token: string | undefined
  id: string | undefined
  /** The Host header when it is a plain `host[:port]`. */
  host: string | undefined
  rejection: { status: string; description: string } | undefined
}

/** The rules of RFC 3986 for a host, without percent escapes. */
const plainHost = /^(?:[a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

/** Whether a request belongs to the relay at all. */
export function isRelayPath(url: string | undefined): boolean {
  return url?.startsWith(hybridConnection.pathPrefix) === true
}

/**
 * Reads path, query and headers of an upgrade request.
 * @throws SallyportError ERR_RELAY_PROTOCOL, ERR_RELAY_TOKEN_INVALID when the token is too long.
 */
export function parseRelayRequest(request: IncomingMessage): RelayRequest {
  const url = request.url ?? ''
  const at = url.indexOf('?')
  const rawPath = (at === -1 ? url : url.slice(0, at))
    .slice(hybridConnection.pathPrefix.length)
    .replace(/\/$/, '')
  const parts = at === -1 ? [] : url.slice(at + 1).split('&')
  const query = protocolParameters(parts)
  const { host } = request.headers
  return {
    action: parseAction(query.get(hybridConnection.action)),
    path: parsePath(rawPath),
    rawPath,
    passedQuery: parts.filter((part) => !isProtocolParameter(nameOf(part))).join('&'),
    token: parseToken(request, query),
    id: parseId(query.get(hybridConnection.id)),
    host: host !== undefined && plainHost.test(host) ? host : undefined,
    rejection: parseRejection(parts),
  }
}

function parseAction(text: string | undefined): HybridConnectionAction {
  const action = hybridConnectionActions.find((known) => known === text)
  if (action === undefined) throw malformed(`${hybridConnection.action} is missing or unknown`)
  return action
}

function parsePath(rawPath: string): string {
  if (rawPath.length > limits.relayPathBytes) throw malformed('the path is too long')
  const segments = rawPath.split('/').map(decode)
  for (const segment of segments) {
    // One path, one spelling: what a proxy in front could resolve differently is refused, not repaired.
    if (segment === '' || segment === '.' || segment === '..' || /[\p{Cc}/\\]/u.test(segment)) {
      throw malformed('the path has an empty or unsafe segment')
    }
  }
  return segments.join('/')
}

function parseToken(request: IncomingMessage, query: Map<string, string>): string | undefined {
  const header = request.headers[hybridConnection.tokenHeader]
  const token = typeof header === 'string' ? header : query.get(hybridConnection.token)
  if (token !== undefined && Buffer.byteLength(token) > limits.relayTokenBytes) {
    throw new SallyportError('ERR_RELAY_TOKEN_INVALID', 'the relay token is too long')
  }
  return token
}

function parseId(id: string | undefined): string | undefined {
  if (id === undefined || id === '') return undefined
  if (/^[\x21-\x7e]{1,256}$/.test(id)) return id
  throw malformed(`${hybridConnection.id} is too long or not printable`)
}

/** Published clients differ in the prefix; without it only what was appended to the address counts, not a parameter of the sender. */
function parseRejection(parts: string[]): RelayRequest['rejection'] {
  const ours = parts.findLastIndex((part) => nameOf(part) === hybridConnection.id)
  const appended = new Map(parts.slice(ours + 1).map((part) => [nameOf(part), valueOf(part)]))
  const status = appended.get('sb-hc-statuscode') ?? appended.get('statuscode')
  if (status === undefined) return undefined
  const description =
    appended.get('sb-hc-statusdescription') ?? appended.get('statusdescription') ?? ''
  return { status, description }
}

function protocolParameters(parts: string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const part of parts) {
    const name = nameOf(part)
    if (!isProtocolParameter(name)) continue
    if (found.has(name)) throw malformed(`${name.slice(0, 32)} is there twice`)
    found.set(name, valueOf(part))
  }
  return found
}

const isProtocolParameter = (name: string): boolean => name.startsWith('sb-')

const nameOf = (part: string): string => decode(part.split('=', 1)[0] ?? '').toLowerCase()

function valueOf(part: string): string {
  const at = part.indexOf('=')
  return at === -1 ? '' : decode(part.slice(at + 1).replaceAll('+', '%20'))
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new SallyportError('ERR_RELAY_PROTOCOL', 'a percent escape of the URL is broken', {
      cause,
    })
  }
}

function malformed(why: string): SallyportError {
  return new SallyportError('ERR_RELAY_PROTOCOL', `the request is malformed: ${why}`)
}
