/**
 * What changes of a custom role must hold to, beyond its own shape: rights in all its scopes, and data actions that Kubernetes
 * can express.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import type { Principal } from '../identity/principal.ts'
import { actions, type Action } from './actions.ts'
import { authorize, type AccessPolicy } from './authorize.ts'
import type { RolePermission } from './roles.ts'

/**
 * A role reaches as far as its assignable scopes, whatever scope the request names: the caller needs the right in each of them.
 * @throws SallyportError ERR_FORBIDDEN.
 */
export async function authorizeScopes(
  policy: AccessPolicy,
  question: { principal: Principal; action: Action },
  scopes: readonly string[],
): Promise<void> {
  for (const scope of scopes) await authorize(policy, { ...question, scope })
}

/** Tells what of a permission cannot be said in Kubernetes RBAC. */
export type DataActionCheck = (
  dataActions: readonly string[],
  notDataActions: readonly string[],
) => string[]

/** @throws SallyportError ERR_ROLE_INEXPRESSIBLE, ERR_ARM_INVALID_REQUEST naming what is wrong. */
export function checkPermissions(
  permissions: readonly RolePermission[],
  check: DataActionCheck,
): void {
  for (const permission of permissions) {
    const names = [...permission.actions, ...permission.notActions]
    const odd = names.find((name) => !isActionPattern(name))
    if (odd !== undefined) {
      throw new SallyportError('ERR_ARM_INVALID_REQUEST', `'${odd}' is not the name of an action`, {
        target: 'permissions.actions',
      })
    }
    const [problem] = check(permission.dataActions, permission.notDataActions)
    if (problem !== undefined) {
      throw new SallyportError(
        'ERR_ROLE_INEXPRESSIBLE',
        `The role cannot be enforced by Kubernetes RBAC: ${problem}`,
        { target: 'permissions.dataActions' },
      )
    }
  }
}

/** `*`, or provider and path with a verb at the end; an action without wildcards of a provider of ours must be one there is. */
function isActionPattern(name: string): boolean {
  if (!/^(\*|[A-Za-z0-9.*]+)(\/[A-Za-z0-9.*_-]+)*$/.test(name)) return false
  if (name.includes('*')) return true
  if (!name.includes('/')) return false
  const isOurs = /^microsoft\.kubernetes\//i.test(name)
  return (
    !isOurs || known.has(name.toLowerCase()) || /\/listclusterusercredentials\/action$/i.test(name)
  )
}

const known = new Set(Object.keys(actions).map((name) => name.toLowerCase()))
