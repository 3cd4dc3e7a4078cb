/**
 * What there is in the cluster: the objects of this agent, and those that look like them and are not.
 * @module
 */
import {
  limits,
  parser,
  RbacMetadataSchema,
  rbacKinds,
  rbacListPath,
  rbacMarks,
  rbacOwner,
  SallyportError,
  type RbacAddress,
  type RbacKind,
} from '@sallyport/protocol'
import Type, { type Static } from 'typebox'
import { refusedCall, type AgentCalls } from '../upstream/agent-calls.ts'
import { hashOf, keyOf, type DesiredObject } from './desired.ts'

const open = { additionalProperties: true } as const

export const RbacObjectSchema = Type.Object(
  {
    metadata: RbacMetadataSchema,
    rules: Type.Optional(Type.Unknown()),
    aggregationRule: Type.Optional(Type.Unknown()),
    roleRef: Type.Optional(Type.Unknown()),
    subjects: Type.Optional(Type.Unknown()),
  },
  open,
)
type RbacObject = Static<typeof RbacObjectSchema>

const parseList = parser(
  Type.Object(
    {
      metadata: Type.Object({ continue: Type.Optional(Type.String()) }, open),
      items: Type.Array(RbacObjectSchema),
    },
    open,
  ),
  'list of the API server',
  'ERR_UPSTREAM_UNREACHABLE',
)

/** One object of ours as it is. */
export interface ActualObject extends RbacAddress {
  uid: string
  object: RbacObject
}

/** Everything found, by `keyOf`. */
export interface Inventory {
  ours: ReadonlyMap<string, ActualObject>
  foreign: ReadonlyMap<string, RbacAddress>
}

function specOf(object: RbacObject): unknown {
  return object.roleRef === undefined
    ? { rules: object.rules }
    : { roleRef: object.roleRef, subjects: object.subjects }
}

/** True when the object says and is what it must. */
export function isAsDesired(actual: RbacObject, desired: DesiredObject): boolean {
  const { labels = {}, annotations = {} } = actual.metadata
  const holds = (has: Record<string, string>, wanted: Record<string, string>): boolean =>
    Object.entries(wanted).every(([key, value]) => has[key] === value)
  return (
    // A label of aggregation makes the API server write the rules; it is taken off with the object.
    actual.aggregationRule === undefined &&
    hashOf(specOf(actual)) === hashOf(desired.spec) &&
    holds(labels, desired.labels) &&
    holds(annotations, desired.annotations)
  )
}

/** True when somebody else has changed it since it was applied: it no longer has the hash written beside it. */
export function isTampered({ object }: ActualObject): boolean {
  const { labels, annotations } = object.metadata
  return (
    object.aggregationRule !== undefined ||
    labels?.[rbacMarks.managedBy] === undefined ||
    labels[rbacMarks.cluster] === undefined ||
    annotations?.[rbacMarks.spec] !== hashOf(specOf(object))
  )
}

/** True when the change cannot be made in place: the reference to the role is immutable, aggregation is not ours to take off. */
export function mustBeReplaced({ object }: ActualObject, desired: DesiredObject): boolean {
  if (object.aggregationRule !== undefined) return true
  const wanted = 'roleRef' in desired.spec ? desired.spec.roleRef : undefined
  return hashOf(object.roleRef ?? null) !== hashOf(wanted ?? null)
}

async function listKind(calls: AgentCalls, kind: RbacKind, signal: AbortSignal) {
  const items: RbacObject[] = []
  let next = ''
  do {
    const more = next === '' ? '' : `&continue=${encodeURIComponent(next)}`
    const path = `${rbacListPath(kind)}?limit=${limits.materialisePage}${more}`
    const call = { method: 'GET', path, signal } as const
    const answer = await calls.call(call)
    if (answer.status !== 200) throw refusedCall(call, answer)
    const list = parseList(answer.body)
    items.push(...list.items)
    next = list.metadata.continue ?? ''
    if (items.length > limits.materialiseObjects)
      throw new SallyportError('ERR_UPSTREAM_UNREACHABLE', `there are too many ${kind} objects`)
  } while (next !== '')
  return items
}

/** Lists all objects of the three kinds: by name, since labels can be taken off by hand. @throws SallyportError or the connection's failure. */
export async function readInventory(
  calls: AgentCalls,
  mark: string,
  signal: AbortSignal,
): Promise<Inventory> {
  const ours = new Map<string, ActualObject>()
  const foreign = new Map<string, RbacAddress>()
  const read = async ({ kind }: { kind: RbacKind }): Promise<void> => {
    for (const object of await listKind(calls, kind, signal)) {
      const { name, namespace, uid } = object.metadata
      const address = { kind, name, namespace }
      const owner = rbacOwner(object.metadata, mark)
      if (owner === 'ours') ours.set(keyOf(address), { ...address, uid, object })
      if (owner === 'foreign') foreign.set(keyOf(address), address)
    }
  }
  await Promise.all(rbacKinds.map(read))
  return { ours, foreign }
}
