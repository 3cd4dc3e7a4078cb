/**
 * The fork between the two ways in: `AAD` impersonates through the guard, `Token` brings its own and gets nothing of ours.
 * @module
 */
import type { ClusterTokenClaims } from '@sallyport/protocol'
import { guard } from '../guard/guard.ts'
import type { HeadGuard } from '../upstream/head-guard.ts'
import { ImpersonatingClient } from '../upstream/impersonating-client.ts'
import { PassThroughClient } from '../upstream/pass-through-client.ts'
import type { UpstreamTarget } from '../upstream/target.ts'
import type { Sender } from './session.ts'

/** Decides how a session sends. @throws SallyportError ERR_GUARD_IDENTITY; then there is no sender at all. */
export function senderOf(options: {
  claims: ClusterTokenClaims
  target: UpstreamTarget
  heads: HeadGuard
}): Sender {
  const { claims, target, heads } = options
  if (claims.auth === 'Token')
    return {
      key: 'token',
      open: () => new PassThroughClient({ address: target.address, guard: heads }),
    }
  const identity = guard(claims)
  return {
    key: JSON.stringify([identity.user, identity.groups]),
    open: () => new ImpersonatingClient({ target, identity, guard: heads }),
  }
}
