/**
 * Claims of the tokens of this hub, as Entra writes them (v2.0 tokens), for people and applications.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { currentRevision } from '../../registry/revocations.ts'
import type { Store } from '../../store/store.ts'
import { findUser, type User } from '../directory/users.ts'
import { findServicePrincipal } from '../directory/service-principals.ts'

/** What claims are read from. */
export interface ClaimParts {
  store: Store
  tenantId: string
}

/** The part of a provider's token that says whose it is. */
export interface TokenSubject {
  clientId?: string | undefined
  accountId?: string | undefined
  grantId?: string | undefined
}

/**
 * Claims of an access token.
 * @throws SallyportError ERR_AUTH_FAILED when the principal was deleted or disabled meanwhile.
 */
export async function accessTokenClaims(
  parts: ClaimParts,
  token: TokenSubject,
): Promise<Record<string, unknown>> {
  // Before the principal is read: a revocation in between makes the token too old, never too young.
  const rev = await currentRevision(parts.store.db)
  const appid = token.clientId ?? ''
  const common = { tid: parts.tenantId, appid, azp: appid, ver: '2.0', rev }
  if (token.accountId === undefined) {
    const app = await findServicePrincipal(parts.store.db, { appId: appid })
    if (app?.enabled !== true) throw gone()
    return { ...common, sub: app.objectId, oid: app.objectId, idtyp: 'app' }
  }
  const user = await findUser(parts.store.db, { objectId: token.accountId })
  if (user?.enabled !== true || token.grantId === undefined) throw gone()
  return { ...common, ...names(user), sub: user.objectId, idtyp: 'user', sid: token.grantId }
}

function gone(): SallyportError {
  return new SallyportError('ERR_AUTH_FAILED', 'the principal was deleted or disabled meanwhile')
}

function names(user: User) {
  return {
    oid: user.objectId,
    upn: user.userPrincipalName,
    preferred_username: user.userPrincipalName,
    name: user.displayName,
  }
}

/** Claims an id token may have; without a userinfo endpoint all of them are in it. */
export const idTokenClaims = ['sub', 'oid', 'tid', 'ver', 'upn', 'preferred_username', 'name']

/** The account behind a token, undefined when it is gone or disabled: then nothing is issued. */
export async function findAccountOf(
  parts: ClaimParts,
  objectId: string,
  token: TokenSubject | undefined,
): Promise<{ accountId: string; claims: () => { sub: string } } | undefined> {
  const user = await findUser(parts.store.db, { objectId })
  if (user?.enabled !== true) return undefined
  const claims = { ...names(user), sub: user.objectId, tid: parts.tenantId, ver: '2.0' }
  const sid = token?.grantId
  return {
    accountId: user.objectId,
    claims: () => ({ ...claims, ...(sid === undefined ? {} : { sid }) }),
  }
}
