/**
 * Signing keys of outside issuers: found by discovery, kept while they are fresh, used a while longer when the issuer is down.
 * A key belongs to the issuer it was fetched for and verifies nothing else (T-JWT-3, T-JWT-8).
 * @module
 */
import {
  createLocalJWKSet,
  errors,
  importJWK,
  type CryptoKey,
  type JWK,
  type JWTHeaderParameters,
  type JWTVerifyGetKey,
} from 'jose'
import Type from 'typebox'
import { jsonParser, limits, type SallyportError } from '@sallyport/protocol'
import { unreachable, type OutsideFetch } from './outside-fetch.ts'

/** What discovery says of an issuer (OpenID Connect Discovery 1.0 section 3), other members left out. */
const Discovery = Type.Object(
  { issuer: Type.String({ maxLength: 2048 }), jwks_uri: Type.String({ maxLength: 2048 }) },
  { additionalProperties: true },
)
const parseDiscovery = jsonParser(Discovery, 'discovery document', 'ERR_ISSUER_UNREACHABLE')
const parseKeys = jsonParser(
  Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.Unknown())) }),
  'key set',
  'ERR_ISSUER_UNREACHABLE',
)

/** Asymmetric algorithms an outside issuer may sign with. */
export const issuerAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'RS384', 'RS512'] as const

/** The keys of all outside issuers. */
export interface RemoteKeys {
  /** For `jwtVerify`: the key of a token that claims `issuer`. Throws ERR_ISSUER_UNREACHABLE or jose's `JWKSNoMatchingKey`. */
  keysOf: (issuer: string) => JWTVerifyGetKey
  /** Fetches discovery and keys now, whatever is kept: the check before an issuer is saved. Returns the number of usable keys. `hosts` may serve them besides those known. */
  check: (issuer: string, hosts?: readonly string[]) => Promise<number>
}

/** What the keys are made from. */
export interface RemoteKeysParts {
  fetch: OutsideFetch
  now: () => number
  /** Hosts that may serve an issuer's keys besides the issuer's own. */
  keyHosts?: (issuer: string) => Promise<readonly string[]>
}

/** Issuers that are known to serve their keys from another host. */
const knownKeyHosts: Readonly<Record<string, readonly string[]>> = {
  'https://accounts.google.com': ['www.googleapis.com'],
}

interface KeptKeys {
  triedAt: number
  fetchedAt: number
  select: ReturnType<typeof createLocalJWKSet> | undefined
  error: SallyportError | undefined
  /** The fetch that runs, shared by all who wait. */
  running: Promise<void> | undefined
}

/** Makes the keeper; it remembers at most `limits.issuersTracked` issuers. */
export function createRemoteKeys(parts: RemoteKeysParts): RemoteKeys {
  const kept = new Map<string, KeptKeys>()
  const entryOf = (issuer: string): KeptKeys => {
    const known = kept.get(issuer)
    if (known !== undefined) return known
    const [oldest] = kept.keys()
    if (kept.size >= limits.issuersTracked && oldest !== undefined) kept.delete(oldest)
    const made: KeptKeys = {
      triedAt: -Infinity,
      fetchedAt: -Infinity,
      select: undefined,
      error: undefined,
      running: undefined,
    }
    kept.set(issuer, made)
    return made
  }
  const refresh = (issuer: string, entry: KeptKeys): Promise<void> => {
    if (entry.running !== undefined) return entry.running
    if (parts.now() - entry.triedAt < limits.issuerFetchIntervalMs) return Promise.resolve()
    entry.triedAt = parts.now()
    entry.running = fetchKeys(parts, issuer)
      .then(
        (keys) => {
          entry.select = createLocalJWKSet({ keys })
          entry.fetchedAt = parts.now()
          entry.error = undefined
        },
        (error: unknown) => {
          entry.error = error as SallyportError
        },
      )
      .finally(() => {
        entry.running = undefined
      })
    return entry.running
  }
  return {
    keysOf: (issuer) => async (header, token) => {
      const entry = entryOf(issuer)
      const age = (): number => parts.now() - entry.fetchedAt
      if (age() > limits.issuerKeysFreshMs) await refresh(issuer, entry)
      try {
        return await usable(entry, age())(checkedHeader(header), token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
        await refresh(issuer, entry)
        return usable(entry, age())(header, token)
      }
    },
    check: async (issuer, hosts = []) => (await fetchKeys(parts, issuer, hosts)).length,
  }
}

/** The kept keys, while they are not too old to be trusted. */
function usable(entry: KeptKeys, age: number): ReturnType<typeof createLocalJWKSet> {
  if (entry.select !== undefined && age <= limits.issuerKeysStaleMs) return entry.select
  throw entry.error ?? unreachable('its keys are not known yet')
}

/** T-JWT-2: a key id is a short name, and keys never come in the token. */
function checkedHeader(header: JWTHeaderParameters): JWTHeaderParameters {
  const { kid } = header
  if (kid !== undefined && !(typeof kid === 'string' && /^[A-Za-z0-9_\-.=+/:]{1,128}$/.test(kid))) {
    throw new errors.JWSInvalid('kid is not a key id')
  }
  return header
}

async function fetchKeys(
  parts: RemoteKeysParts,
  issuer: string,
  hosts: readonly string[] = [],
): Promise<JWK[]> {
  const document = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const discovery = parseDiscovery(await text(parts.fetch, document))
  if (discovery.issuer !== issuer) throw unreachable('its discovery document names another issuer')
  const { hostname } = new URL(issuer)
  const host = URL.canParse(discovery.jwks_uri) ? new URL(discovery.jwks_uri).hostname : ''
  const allowed = [
    hostname,
    ...(knownKeyHosts[issuer] ?? []),
    ...((await parts.keyHosts?.(issuer)) ?? []),
    ...hosts,
  ]
  if (!allowed.includes(host)) throw unreachable('its keys are at another host')
  const { keys } = parseKeys(await text(parts.fetch, discovery.jwks_uri))
  const usableKeys = await usableOnly(keys)
  if (usableKeys.length === 0) throw unreachable('it publishes no key that can be used')
  return usableKeys
}

async function text(fetch: OutsideFetch, url: string): Promise<string> {
  const response = await fetch(url)
  if (response.status !== 200) throw unreachable(`HTTP status ${response.status}`)
  return response.text()
}

/** X081: what is no public signature key of enough strength, or has the id of another key, is as if it were not there. */
async function usableOnly(keys: JWK[]): Promise<JWK[]> {
  const ids = keys.map((key) => key.kid)
  const candidates = keys.slice(0, limits.issuerKeys).filter((key) => {
    const isSignature = (key.use ?? 'sig') === 'sig'
    const isUnique = key.kid === undefined || ids.indexOf(key.kid) === ids.lastIndexOf(key.kid)
    return isSignature && isUnique && key['d'] === undefined && key.kty !== 'oct'
  })
  const checked = await Promise.all(
    candidates.map(async (key) => ((await isStrong(key)) ? [key] : [])),
  )
  return checked.flat()
}

async function isStrong(key: JWK): Promise<boolean> {
  const algorithm =
    key.alg ?? (key.kty === 'RSA' ? 'RS256' : key.crv === 'P-384' ? 'ES384' : 'ES256')
  if (!(issuerAlgorithms as readonly string[]).includes(algorithm)) return false
  try {
    const imported = (await importJWK(key, algorithm)) as CryptoKey
    const { modulusLength } = imported.algorithm as { modulusLength?: number }
    return modulusLength === undefined || modulusLength >= 2048
  } catch {
    return false
  }
}
