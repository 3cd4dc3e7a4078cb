/**
 * Gate 1: may this principal do this here. Asked by one hook for every route; no handler decides for itself.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import type { Principal } from '../identity/principal.ts'
import type { Action } from './actions.ts'

/** One question: `scope` is an ARM id, `/` for the whole tenant. */
export interface AccessQuestion {
  principal: Principal
  action: Action
  scope: string
}

/** Answers the question; role assignments at a scope and above it will live behind it. */
export type AccessPolicy = (question: AccessQuestion) => Promise<boolean>

/** Administrators may do everything, everybody else nothing. */
export const administratorPolicy: AccessPolicy = ({ principal }) =>
  Promise.resolve(principal.administrator)

/**
 * Lets pass or throws. Asked before anything is looked up, so a refusal says nothing about what exists.
 * @throws SallyportError ERR_FORBIDDEN naming principal, action and scope, in the words ARM clients know.
 */
export async function authorize(policy: AccessPolicy, question: AccessQuestion): Promise<void> {
  if (await policy(question)) return
  const { principal, action, scope } = question
  throw new SallyportError(
    'ERR_FORBIDDEN',
    `The client '${principal.displayName}' with object id '${principal.objectId}' does not have authorization ` +
      `to perform action '${action}' over scope '${scope}' or the scope is invalid.`,
  )
}
