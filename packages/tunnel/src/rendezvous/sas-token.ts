/**
 * Shared access signatures of the Azure Relay protocol: made by the hub, checked by the relay.
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { limits, SallyportError } from '@sallyport/protocol'

/** Name and secret of a shared access rule; the key's text itself is the HMAC key (UTF-8). */
export interface SasKey {
  name: string
  key: string
}

/** What a token must be good for. `hosts` are `host` or `host:port`, any of which `sr` may name. */
export interface SasTokenCheck<K extends SasKey> {
  keys: readonly K[]
  hosts: readonly string[]
  /** Path of the entity, without slashes at its ends. */
  path: string
  nowMs: number
}

/** A token that was found good. */
export interface VerifiedSasToken<K extends SasKey> {
  key: K
  /** Unix seconds. */
  expiresAt: number
}

const prefix = 'SharedAccessSignature '

/**
 * `SharedAccessSignature sr=…&sig=…&se=…&skn=…` for a resource URI, which may be a prefix of what is used.
 * @param expiresAt Unix seconds.
 */
export function signSasToken(rule: SasKey, resource: string, expiresAt: number): string {
  const sr = encodeURIComponent(resource)
  const signature = hmac(rule.key, sr, String(expiresAt)).toString('base64')
  const skn = encodeURIComponent(rule.name)
  return `${prefix}sr=${sr}&sig=${encodeURIComponent(signature)}&se=${expiresAt}&skn=${skn}`
}

/**
 * Checks signature and expiry first, then whether the token covers host and path.
 * @throws SallyportError ERR_RELAY_TOKEN_INVALID, or ERR_RELAY_FORBIDDEN when it is genuine but for something else.
 */
export function verifySasToken<K extends SasKey>(
  token: string,
  check: SasTokenCheck<K>,
): VerifiedSasToken<K> {
  const { sr, sig, se, skn } = parseToken(token)
  const given = Buffer.from(sig, 'base64')
  const key = check.keys.find(
    (candidate) => candidate.name === skn && isEqual(given, hmac(candidate.key, sr, se)),
  )
  if (key === undefined) throw invalid('its signature is not one of this relay')
  const expiresAt = Number(se)
  if (expiresAt * 1000 <= check.nowMs) throw invalid('it is expired')
  if (!coversResource(decode(sr), check)) {
    throw new SallyportError(
      'ERR_RELAY_FORBIDDEN',
      'the relay token is for another host or path than the requested one',
    )
  }
  return { key, expiresAt }
}

/** Whether `prefixPath` is `path` or leads to it, by whole segments in any case; the empty path covers all. */
export function coversPath(prefixPath: string, path: string): boolean {
  const wanted = prefixPath.toLowerCase()
  const given = path.toLowerCase()
  return wanted === '' || given === wanted || given.startsWith(`${wanted}/`)
}

function parseToken(token: string): { sr: string; sig: string; se: string; skn: string } {
  if (Buffer.byteLength(token) > limits.relayTokenBytes) throw invalid('it is too long')
  if (!token.startsWith(prefix)) throw invalid('it is not a SharedAccessSignature')
  const fields = new Map<string, string>()
  for (const field of token.slice(prefix.length).split('&')) {
    const at = field.indexOf('=')
    const name = field.slice(0, Math.max(at, 0))
    if (fields.has(name)) throw invalid('a field is there twice')
    fields.set(name, field.slice(at + 1))
  }
  const [sr, sig, se, skn] = ['sr', 'sig', 'se', 'skn'].map((name) => fields.get(name))
  if (sr === undefined || sig === undefined || se === undefined || skn === undefined) {
    throw invalid('a field is missing')
  }
  if (!/^\d{1,11}$/.test(se)) throw invalid('its expiry is not a number')
  // The signature covers `sr` as received: clients differ in the case of their escapes.
  return { sr, sig: decode(sig), se, skn: decode(skn) }
}

function coversResource(
  resource: string,
  check: { hosts: readonly string[]; path: string },
): boolean {
  const match = /^(?:https?|sb|wss?):\/\/([^/?#@]+)([^?#]*)/i.exec(resource)
  const [, authority, rawPath] = match ?? []
  if (authority === undefined || rawPath === undefined) return false
  if (!check.hosts.some((host) => isSameHost(authority, host))) return false
  return coversPath(decode(rawPath).replace(/^\/+|\/+$/g, ''), check.path)
}

/** The token may leave the port out; when it names one, it is the one that was dialled (none in the Host header: a default port). */
function isSameHost(authority: string, host: string): boolean {
  const wanted = splitHost(authority)
  const actual = splitHost(host)
  if (wanted.name !== actual.name) return false
  if (wanted.port === undefined) return true
  return actual.port === undefined
    ? wanted.port === '443' || wanted.port === '80'
    : wanted.port === actual.port
}

function splitHost(host: string): { name: string; port: string | undefined } {
  const match = /^(.*?)(?::(\d+))?$/.exec(host.toLowerCase())
  return { name: match?.[1] ?? '', port: match?.[2] }
}

const hmac = (key: string, sr: string, se: string): Buffer =>
  createHmac('sha256', key).update(`${sr}\n${se}`).digest()

const isEqual = (given: Buffer, wanted: Buffer): boolean =>
  given.length === wanted.length && timingSafeEqual(given, wanted)

const invalid = (why: string): SallyportError =>
  new SallyportError('ERR_RELAY_TOKEN_INVALID', 'the relay token is not valid', { why })

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new SallyportError('ERR_RELAY_TOKEN_INVALID', 'the relay token is not valid', {
      why: 'a percent escape is broken',
      cause,
    })
  }
}
