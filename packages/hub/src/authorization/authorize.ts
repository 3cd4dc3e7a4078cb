/**
 * Gate 1: may this principal do this here. Asked by one hook for every route; no handler decides for itself.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import type { Principal } from '../identity/principal.ts'
import type { Action } from './actions.ts'
import { leastRoleFor } from './built-in-roles.ts'

/**
 * How far a grant may lie from the scope of the question: `at` it or above; also anywhere `below` it, for lists that show only
 * what the caller may see; or none is needed, for what is the same for every signed-in principal or about himself.
 */
export type Reach = 'at' | 'below' | 'anyone'

/** One question: `scope` is an ARM id, `/` for the whole tenant. */
export interface AccessQuestion {
  principal: Principal
  action: Action
  scope: string
  /** Default: `at`. */
  reach?: Reach
}

/** Answers the question. */
export type AccessPolicy = (question: AccessQuestion) => Promise<boolean>

/**
 * Lets pass or throws. Asked before anything is looked up, so a refusal says nothing about what exists.
 * @throws SallyportError ERR_FORBIDDEN naming principal, action, scope and a role that would allow it, in the words ARM clients know.
 */
export async function authorize(policy: AccessPolicy, question: AccessQuestion): Promise<void> {
  if (await policy(question)) return
  const { principal, action, scope } = question
  const role = leastRoleFor(action).name
  throw new SallyportError(
    'ERR_FORBIDDEN',
    `The client '${principal.displayName}' with object id '${principal.objectId}' does not have authorization ` +
      `to perform action '${action}' over scope '${scope}' or the scope is invalid.`,
    {
      remedy: `ask for the role '${role}': sallyport role assignment create --assignee ${principal.objectId} --role "${role}" --scope ${scope}`,
    },
  )
}
