/**
 * One full reconcile: lists, removes what is too much, applies what is missing or changed. It may be cut off anywhere; the next one finishes.
 * @module
 */
import {
  limits,
  parser,
  rbacFieldManager,
  rbacObjectPath,
  type RbacAddress,
  type SallyportError,
} from '@sallyport/protocol'
import Type from 'typebox'
import { refusedCall, type AgentAnswer, type AgentCalls } from '../upstream/agent-calls.ts'
import { keyOf, manifestOf, type DesiredObject } from './desired.ts'
import {
  isAsDesired,
  isTampered,
  mustBeReplaced,
  readInventory,
  type ActualObject,
  type Inventory,
} from './inventory.ts'

/** What one reconcile works with. */
export interface ReconcileOptions {
  calls: AgentCalls
  /** Short hash of the cluster, `rbacClusterMark`. */
  mark: string
  objects: ReadonlyMap<string, DesiredObject>
  /** Keys of the objects known to have been in place; kept up to date. */
  placed: Set<string>
  signal: AbortSignal
}

/** What it did. */
export interface ReconcileResult {
  applied: number
  removed: number
  /** Put back after somebody else had changed or deleted them. */
  restored: RbacAddress[]
  /** In their place there is something we did not make; it is left alone. */
  conflicts: RbacAddress[]
  /** Their namespace does not exist (yet). */
  pending: RbacAddress[]
  /** First failure; everything else was still tried. */
  failure: SallyportError | undefined
}

const parseStatus = parser(
  Type.Object(
    {
      details: Type.Optional(
        Type.Object(
          {
            causes: Type.Optional(
              Type.Array(
                Type.Object(
                  { reason: Type.Optional(Type.String()) },
                  { additionalProperties: true },
                ),
              ),
            ),
          },
          { additionalProperties: true },
        ),
      ),
    },
    { additionalProperties: true },
  ),
  'answer of the API server',
)

function isNamespaceEnding(answer: AgentAnswer): boolean {
  if (answer.status !== 403) return false
  try {
    const causes = parseStatus(answer.body).details?.causes ?? []
    return causes.some(({ reason }) => reason === 'NamespaceTerminating')
  } catch {
    return false
  }
}

/** Runs `work` on all items, a bounded number at a time, to the end. */
async function forEach<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: limits.materialiseConcurrency }, worker))
}

/** A reconcile under way. */
class Reconcile {
  readonly result: ReconcileResult = {
    applied: 0,
    removed: 0,
    restored: [],
    conflicts: [],
    pending: [],
    failure: undefined,
  }
  readonly #options: ReconcileOptions
  readonly #found: Inventory

  constructor(options: ReconcileOptions, found: Inventory) {
    this.#options = options
    this.#found = found
    this.result.conflicts.push(...found.foreign.values())
  }

  /** Rights are taken away first, then given: bindings go before, and come after, the roles they name. */
  async run(): Promise<void> {
    const { objects, placed } = this.#options
    for (const key of placed) if (!objects.has(key)) placed.delete(key)
    const surplus = [...this.#found.ours].filter(([key]) => !objects.has(key))
    const wanted = [...objects.values()]
    const isRole = (address: RbacAddress): boolean => address.kind === 'ClusterRole'
    const remove = async ([, actual]: [string, ActualObject]): Promise<void> => {
      await this.#remove(actual)
    }
    const ensure = async (object: DesiredObject): Promise<void> => this.#ensure(object)
    await forEach(
      surplus.filter(([, actual]) => !isRole(actual)),
      remove,
    )
    await forEach(wanted.filter(isRole), ensure)
    await forEach(
      wanted.filter((object) => !isRole(object)),
      ensure,
    )
    await forEach(
      surplus.filter(([, actual]) => isRole(actual)),
      remove,
    )
  }

  async #ensure(desired: DesiredObject): Promise<void> {
    const key = keyOf(desired)
    const actual = this.#found.ours.get(key)
    if (actual !== undefined && isAsDesired(actual.object, desired)) {
      this.#options.placed.add(key)
      return
    }
    // Already among the conflicts.
    if (actual === undefined && this.#found.foreign.has(key)) return
    const restores = actual === undefined ? this.#options.placed.has(key) : isTampered(actual)
    let uid = actual?.uid
    if (actual !== undefined && mustBeReplaced(actual, desired)) {
      if (!(await this.#remove(actual))) return
      uid = undefined
    }
    if ((await this.#apply(desired, uid)) && restores) this.result.restored.push(desired)
  }

  async #apply(desired: DesiredObject, uid: string | undefined): Promise<boolean> {
    // Without force where nothing was found: whatever appears there meanwhile is not taken over.
    const query = `fieldManager=${rbacFieldManager}&force=${uid !== undefined}`
    const { signal, calls, placed } = this.#options
    const call = {
      method: 'PATCH',
      path: `${rbacObjectPath(desired)}?${query}`,
      contentType: 'application/apply-patch+yaml',
      body: manifestOf(desired, uid),
      signal,
    } as const
    const answer = await calls.call(call)
    const key = keyOf(desired)
    if (answer.status === 200 || answer.status === 201) {
      this.result.applied++
      placed.add(key)
      return true
    }
    placed.delete(key)
    const { namespace } = desired
    if (namespace !== undefined && (answer.status === 404 || isNamespaceEnding(answer)))
      this.result.pending.push(desired)
    else if (answer.status === 409 && uid === undefined) this.result.conflicts.push(desired)
    else this.result.failure ??= refusedCall(call, answer)
    return false
  }

  /** Deletes exactly the object that was listed. */
  async #remove({ uid, ...address }: ActualObject): Promise<boolean> {
    const call = {
      method: 'DELETE',
      path: rbacObjectPath(address),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } },
      signal: this.#options.signal,
    } as const
    const answer = await this.#options.calls.call(call)
    if (answer.status === 200 || answer.status === 202) this.result.removed++
    else if (answer.status !== 404) {
      this.result.failure ??= refusedCall(call, answer)
      return false
    }
    return true
  }
}

/** Makes the cluster hold exactly `objects`. @throws SallyportError or the connection's failure; what was done until then stays. */
export async function reconcile(options: ReconcileOptions): Promise<ReconcileResult> {
  const found = await readInventory(options.calls, options.mark, options.signal)
  const run = new Reconcile(options, found)
  await run.run()
  return run.result
}
