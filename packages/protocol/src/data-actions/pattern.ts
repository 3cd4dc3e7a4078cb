/**
 * Patterns of data actions: `*` stands for any text, slashes included; case does not matter.
 * @module
 */
import { limits } from '../limits.ts'
import { resourceTable } from './resource-table.ts'
import {
  actionsOn,
  builtInActions,
  customEntry,
  dataActionPrefix,
  type DataAction,
} from './actions.ts'

const prefix = dataActionPrefix.toLowerCase()
const allowed = /^[a-z0-9.*/-]+$/
const groupName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/
const resourceName = /^[a-z]([-a-z0-9]*[a-z0-9])?$/

/** What a pattern reaches: the whole cluster, a whole API group that is not built in, or a list of data actions. */
export type Reach =
  | { readonly kind: 'everything' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'actions'; readonly actions: readonly DataAction[] }
  | { readonly kind: 'problem'; readonly why: string }

/** Linear in the length of both, whatever the pattern: regular expressions are not, and patterns come from outside. */
export function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (!text.startsWith(first)) return false
  const last = rest.pop()
  if (last === undefined) return text === first
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

const isEverything = (pattern: string): boolean =>
  pattern.endsWith('*') && prefix.startsWith(pattern.replace(/\*+$/, ''))

/** Actions on resources of custom resource definitions: the group and the resource must be named. */
function custom(pattern: string): Reach {
  const [group = '', resource, ...verb] = pattern.slice(prefix.length).split('/')
  if (!groupName.test(group) || Object.hasOwn(resourceTable, group))
    return { kind: 'problem', why: 'it matches no data action' }
  if (resource === '*' && verb.length === 0) return { kind: 'group', group }
  if (resource === undefined || !resourceName.test(resource))
    return {
      kind: 'problem',
      why: `the resources of API group ${group} are not built in: name one, or take ${group}/*`,
    }
  const actions = actionsOn(group, resource, customEntry).filter(({ key }) => matches(pattern, key))
  if (actions.length > 0) return { kind: 'actions', actions }
  return { kind: 'problem', why: 'its verb is none of read, write, delete' }
}

/** Finds what one pattern reaches. */
export function reachOf(text: string): Reach {
  const pattern = text.toLowerCase()
  if (pattern.length > limits.dataActionLength) return { kind: 'problem', why: 'it is too long' }
  if (!allowed.test(pattern))
    return { kind: 'problem', why: 'it has a character no data action has' }
  if (isEverything(pattern)) return { kind: 'everything' }
  const actions = builtInActions.filter(({ key }) => matches(pattern, key))
  if (actions.length > 0) return { kind: 'actions', actions }
  if (pattern.startsWith(prefix)) return custom(pattern)
  return { kind: 'problem', why: `it is no data action of ${dataActionPrefix.slice(0, -1)}` }
}

/** True when the pattern names its action in full. */
export function isFullName(text: string): boolean {
  return !text.includes('*')
}

/** True when the pattern could match an action on some resource of the API group; says yes when in doubt. */
export function mayReachInto(group: string, text: string): boolean {
  const start = `${prefix}${group}/`
  const head = text.toLowerCase().split('*', 1)[0] ?? ''
  return head.startsWith(start) || (!isFullName(text) && start.startsWith(head))
}
