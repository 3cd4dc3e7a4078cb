/**
 * Shared access rules: who may listen and who may send on which path.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { coversPath, verifySasToken } from '@sallyport/tunnel'

/** Right of a rule; Manage includes the two others, as in the public service. */
export type SasRight = 'Listen' | 'Send' | 'Manage'

/** A shared access rule. `path` limits it to a path and what is below; absent: everything. */
export interface SasRule {
  name: string
  key: string
  rights: SasRight[]
  path?: string
}

/** What a token has to grant. */
export interface Demand {
  right: 'Listen' | 'Send'
  path: string
  hosts: readonly string[]
  nowMs: number
}

/**
 * Checks a token against the rules.
 * @returns when it expires, Unix seconds.
 * @throws SallyportError ERR_RELAY_TOKEN_INVALID, ERR_RELAY_FORBIDDEN.
 */
export function authorise(
  token: string | undefined,
  rules: readonly SasRule[],
  demand: Demand,
): number {
  if (token === undefined || token === '') {
    throw new SallyportError('ERR_RELAY_TOKEN_INVALID', 'there is no relay token')
  }
  const { key: rule, expiresAt } = verifySasToken(token, { keys: rules, ...demand })
  const isGranted = rule.rights.includes(demand.right) || rule.rights.includes('Manage')
  if (!isGranted || !coversPath(rule.path ?? '', demand.path)) {
    throw new SallyportError(
      'ERR_RELAY_FORBIDDEN',
      `the relay token does not grant ${demand.right} on this path`,
    )
  }
  return expiresAt
}
