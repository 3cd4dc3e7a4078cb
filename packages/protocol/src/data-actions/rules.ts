/**
 * Turns the data actions of a role into rules of Kubernetes RBAC, which only ever add: what cannot be said so is a problem.
 * @module
 */
import type { AgentRole } from '../agent-assignments.ts'
import { builtInActions, type DataAction, type Grant } from './actions.ts'
import { isFullName, matches, mayReachInto, reachOf } from './pattern.ts'

/** Rule of a ClusterRole. */
export interface PolicyRule {
  apiGroups?: string[]
  resources?: string[]
  verbs: string[]
  nonResourceURLs?: string[]
}

/** Data actions and those taken away again, as a role definition holds them. */
export type DataPermission = AgentRole['permissions'][number]

interface Gathered {
  everything: boolean
  groups: Set<string>
  actions: Map<string, DataAction>
}

/** `wide`: all that matches; else powers count only when named in full. */
function gather(patterns: readonly string[], wide: boolean, problems: string[]): Gathered {
  const found: Gathered = { everything: false, groups: new Set(), actions: new Map() }
  for (const pattern of patterns) {
    const reach = reachOf(pattern)
    if (reach.kind === 'problem') problems.push(`${JSON.stringify(pattern)}: ${reach.why}`)
    else if (reach.kind === 'everything') found.everything = true
    else if (reach.kind === 'group') found.groups.add(reach.group)
    else {
      const reached = reach.actions.filter(({ power }) => wide || !power || isFullName(pattern))
      if (reached.length === 0)
        problems.push(`${JSON.stringify(pattern)}: what it matches must be named in full`)
      for (const action of reached) found.actions.set(action.key, action)
    }
  }
  return found
}

/** One permission after its subtraction. Patterns are compared as text, so that they take from custom resources too. */
function subtract(permission: DataPermission, problems: string[]): Gathered {
  const { notDataActions } = permission
  const given = gather(permission.dataActions, false, problems)
  const taken = gather(notDataActions, true, problems)
  if (taken.everything) return { everything: false, groups: new Set(), actions: new Map() }
  if (given.everything && notDataActions.length > 0) {
    // Who keeps the powers could take back what was taken away.
    for (const action of builtInActions) if (!action.power) given.actions.set(action.key, action)
    given.everything = false
  }
  for (const key of given.actions.keys())
    if (notDataActions.some((pattern) => matches(pattern.toLowerCase(), key)))
      given.actions.delete(key)
  for (const group of taken.groups) given.groups.delete(group)
  for (const group of given.groups)
    for (const pattern of notDataActions)
      if (mayReachInto(group, pattern))
        problems.push(
          `${JSON.stringify(pattern)}: RBAC cannot take a part out of ${group}/*: name the resources to give instead`,
        )
  return given
}

/** Rules in a fixed order, resources with the same verbs together, so that the same role always gives the same text. */
function compact(grants: readonly Grant[]): PolicyRule[] {
  const verbs = new Map<string, { grant: Grant; verbs: Set<string> }>()
  for (const grant of grants) {
    const key = `${grant.group} ${grant.resource}`
    const entry = verbs.get(key) ?? { grant, verbs: new Set<string>() }
    for (const verb of grant.verbs) entry.verbs.add(verb)
    verbs.set(key, entry)
  }
  const rules = new Map<string, { group: string; resources: string[]; verbs: string[] }>()
  for (const { grant, verbs: set } of verbs.values()) {
    const sorted = [...set].sort()
    const key = `${grant.group} ${sorted.join(' ')}`
    const rule = rules.get(key) ?? { group: grant.group, resources: [], verbs: sorted }
    rule.resources.push(grant.resource)
    rules.set(key, rule)
  }
  return Array.from(rules)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, rule]) => ({
      apiGroups: [rule.group],
      resources: rule.resources.sort(),
      verbs: rule.verbs,
    }))
}

const everything: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
]

/**
 * Rules that give what the permissions give. With problems there are no rules at all: a subtraction that is not understood
 * would otherwise give too much.
 */
export function rulesOf(permissions: readonly DataPermission[]): {
  rules: PolicyRule[]
  problems: string[]
} {
  const problems: string[] = []
  const parts = permissions.map((permission) => subtract(permission, problems))
  if (problems.length > 0) return { rules: [], problems }
  if (parts.some((part) => part.everything))
    return { rules: structuredClone(everything) as PolicyRule[], problems }
  const groups = new Set(parts.flatMap((part) => [...part.groups]))
  const grants = parts.flatMap((part) => Array.from(part.actions.values()).flatMap((a) => a.grants))
  const whole = [...groups].sort().map((group) => ({
    apiGroups: [group],
    resources: ['*'],
    verbs: ['*'],
  }))
  return { rules: [...compact(grants), ...whole], problems }
}

/** Why these data actions cannot be a role, one sentence each; empty when they can. Asked before a role is stored. */
export function checkDataActions(permissions: readonly DataPermission[]): string[] {
  return rulesOf(permissions).problems
}
