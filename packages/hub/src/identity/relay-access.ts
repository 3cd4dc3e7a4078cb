/**
 * Relay tokens the hub hands out: each for one relay, one path, one right, and a short time.
 * @module
 */
import { hybridConnection, limits, SallyportError, type RelayAccess } from '@sallyport/protocol'
import { relayRuleNames, type RelayRule } from './relay-keys.ts'

/** What the tokens are made from. */
export interface RelayAccessParts {
  rules: RelayRule[]
  /** `wss://` origins of the relays. */
  relays: string[]
  /** Signs a resource until `expiresAt` (Unix seconds). */
  sign: (rule: RelayRule, resource: string, expiresAt: number) => string
  now: () => number
}

/** Access of both sides to the path of one cluster. */
export interface RelayAccessIssuer {
  forClient: (path: string) => RelayAccess[]
  forAgent: (path: string) => RelayAccess[]
}

/** Makes the issuer. @throws SallyportError ERR_STATE_INVALID when the key file lacks one of the two rules. */
export function createRelayAccess(parts: RelayAccessParts): RelayAccessIssuer {
  const issuer = (name: string, ttlMs: number) => {
    const rule = parts.rules.find((each) => each.name === name)
    if (rule === undefined) {
      throw new SallyportError('ERR_STATE_INVALID', `keys/relay.json has no rule '${name}'`)
    }
    return (path: string): RelayAccess[] => {
      const expiresAt = Math.floor((parts.now() + ttlMs) / 1000)
      return parts.relays.map((relay) => ({
        url: `${relay}${hybridConnection.pathPrefix}${path}`,
        // The public protocol writes the resource with http, whatever the connection is.
        token: parts.sign(rule, `http://${new URL(relay).host}/${path}`, expiresAt),
        expiresAt,
      }))
    }
  }
  return {
    forClient: issuer(relayRuleNames.send, limits.relayTicketTtlMs),
    forAgent: issuer(relayRuleNames.listen, limits.relayListenTokenTtlMs),
  }
}
