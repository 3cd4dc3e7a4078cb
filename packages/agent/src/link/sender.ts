/**
 * The fork between the two ways in: `AAD` impersonates through the guard, `Token` brings its own and gets nothing of ours.
 * @module
 */
import { createHash } from 'node:crypto'
import { limits, type ClusterTokenClaims } from '@sallyport/protocol'
import { fetchGroups, type AskGroups } from '../groups/fetch-groups.ts'
import { areFew, GroupSelection, type NamedGroups } from '../groups/group-selection.ts'
import { guard, type Identity } from '../guard/guard.ts'
import type { HeadGuard } from '../upstream/head-guard.ts'
import { ImpersonatingClient } from '../upstream/impersonating-client.ts'
import { PassThroughClient } from '../upstream/pass-through-client.ts'
import type { UpstreamTarget } from '../upstream/target.ts'
import type { Sender } from './session.ts'

/** The groups that bindings name, and when that is known. */
export interface SettledGroups extends NamedGroups {
  /** Resolves when they are known or cannot be; @throws when `signal` aborts. */
  settled(signal: AbortSignal): Promise<void>
}

const nobody = Object.freeze({})

/**
 * Decides how a session sends.
 * @throws SallyportError ERR_GUARD_IDENTITY, or that the groups cannot be known; then there is no sender at all.
 */
export async function senderOf(options: {
  claims: ClusterTokenClaims
  target: UpstreamTarget
  heads: HeadGuard
  askGroups: AskGroups
  named: SettledGroups
}): Promise<Sender> {
  const { claims, target, heads } = options
  if (claims.auth === 'Token')
    return {
      key: 'token',
      current: () => nobody,
      open: () => new PassThroughClient({ address: target.address, guard: heads }),
    }
  const { hasgroups, ...rest } = claims
  const identity =
    hasgroups === true
      ? guard({ ...rest, groups: await fetchGroups(options.askGroups, claims) })
      : guard(claims)
  const current = await select(identity, options.named)
  // Bind time, not the first request, is when a session without a possible identity is refused.
  current()
  return {
    key: keyOf(identity),
    current,
    open: () => new ImpersonatingClient({ target, identity: current(), guard: heads }),
  }
}

async function select(identity: Identity, named: SettledGroups): Promise<() => Identity> {
  if (areFew(identity.groups)) return () => identity
  // Without an answer in time `current` says what is missing.
  await named.settled(AbortSignal.timeout(limits.groupsTimeoutMs)).catch(() => undefined)
  const selection = new GroupSelection(identity, named)
  return () => selection.current()
}

/** A digest: of thousands of groups the names themselves would be kept twice. */
function keyOf({ user, groups }: Identity): string {
  return createHash('sha256')
    .update(JSON.stringify([user, groups]))
    .digest('base64url')
}
