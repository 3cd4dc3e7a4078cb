/**
 * The data actions of connected clusters, each with what it gives in Kubernetes; made of the table.
 * @module
 */
import { resourceTable, type DataVerb, type ResourceEntry } from './resource-table.ts'

/** What every data action of a connected cluster begins with; matched in lower case. */
export const dataActionPrefix = 'Microsoft.Kubernetes/connectedClusters/'

/** Verbs on one resource (or `resource/subresource`) of one API group. */
export interface Grant {
  readonly group: string
  readonly resource: string
  readonly verbs: readonly string[]
}

/** One data action. */
export interface DataAction {
  /** Whole name in lower case. */
  readonly key: string
  /** Only its full name or `connectedClusters/*` alone reaches it: who has it has more than the role says. */
  readonly power: boolean
  readonly grants: readonly Grant[]
}

/** What read, write and delete mean on the resource itself. */
export const verbsOf: Readonly<Record<DataVerb, readonly string[]>> = {
  read: ['get', 'list', 'watch'],
  write: ['create', 'update', 'patch'],
  delete: ['delete', 'deletecollection'],
}

const prefix = dataActionPrefix.toLowerCase()

/** Subresources every custom resource may have, and no other. */
const customSubresources: ResourceEntry['subresources'] = ['status', 'scale'].map((name) => ({
  name,
  grants: { read: ['get'], write: ['update', 'patch'] },
}))

/** Entry of a resource the table does not have: one of a custom resource definition. */
export const customEntry: ResourceEntry = {
  verbs: ['read', 'write', 'delete'],
  subresources: customSubresources,
  powers: [],
}

/** The data actions on one resource. */
export function actionsOn(group: string, resource: string, entry: ResourceEntry): DataAction[] {
  const start = prefix + (group === '' ? '' : `${group}/`) + resource
  const grants = new Map<string, Grant[]>()
  const give = (action: string, target: string, verbs: readonly string[]): void => {
    const so = grants.get(action) ?? []
    grants.set(action, [...so, { group, resource: target, verbs }])
  }
  for (const verb of entry.verbs) give(verb, resource, verbsOf[verb])
  for (const { name, grants: parts } of entry.subresources)
    for (const [action, verbs] of Object.entries(parts)) give(action, `${resource}/${name}`, verbs)
  for (const verb of entry.powers) give(`${verb}/action`, resource, [verb])
  return Array.from(grants, ([action, given]) => ({
    key: `${start}/${action}`,
    power: action.endsWith('/action') && action !== 'exec/action',
    grants: given,
  }))
}

/** Every data action on a built-in resource. */
export const builtInActions: readonly DataAction[] = Object.entries(resourceTable).flatMap(
  ([group, resources]) =>
    Object.entries(resources).flatMap(([resource, entry]) => actionsOn(group, resource, entry)),
)
