/**
 * Follows the role bindings of the cluster under the agent's own credential: which groups they name, as it changes.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isSallyportError, limits, parser, SallyportError } from '@sallyport/protocol'
import { BackOff } from '@sallyport/tunnel'
import Type, { type Static } from 'typebox'
import { BoundGroups } from '../groups/bound-groups.ts'
import type { NamedGroups } from '../groups/group-selection.ts'
import { AgentCallError, readAsAgent, watchAsAgent } from './agent-call.ts'
import type { UpstreamTarget } from './target.ts'

const open = { additionalProperties: true } as const
const BindingSchema = Type.Object(
  {
    metadata: Type.Object(
      {
        name: Type.Optional(Type.String()),
        namespace: Type.Optional(Type.String()),
        resourceVersion: Type.Optional(Type.String()),
      },
      open,
    ),
    subjects: Type.Optional(
      Type.Union([
        Type.Null(),
        Type.Array(Type.Object({ kind: Type.String(), name: Type.String() }, open)),
      ]),
    ),
  },
  open,
)
const parseList = parser(
  Type.Object(
    {
      metadata: Type.Object(
        { resourceVersion: Type.String(), continue: Type.Optional(Type.String()) },
        open,
      ),
      items: Type.Array(BindingSchema),
    },
    open,
  ),
  'list of bindings',
  'ERR_UPSTREAM_UNREACHABLE',
)
const parseEvent = parser(
  Type.Object({ type: Type.String(), object: Type.Unknown() }, open),
  'event of a watch',
  'ERR_UPSTREAM_UNREACHABLE',
)
const parseBinding = parser(BindingSchema, 'binding of a watch', 'ERR_UPSTREAM_UNREACHABLE')
const parseStatus = parser(
  Type.Object({ code: Type.Optional(Type.Integer()) }, open),
  'status of a watch',
  'ERR_UPSTREAM_UNREACHABLE',
)

const kinds = ['clusterrolebindings', 'rolebindings'] as const
type Kind = (typeof kinds)[number]
const group = '/apis/rbac.authorization.k8s.io/v1'
const gone = 410

/** How far one of the two kinds is followed. */
interface Following {
  listed: boolean
  /** Version to watch from; undefined asks for a list. */
  version: string | undefined
  failure: SallyportError | undefined
  /** When it failed first since it was last in order; monotonic milliseconds. */
  failedAt: number
}

/** Bindings whose changes are known within moments; `start()` once, `close()` once. */
export class BindingWatch implements NamedGroups {
  readonly #target: UpstreamTarget
  readonly #onChange: (problem: SallyportError | undefined) => void
  readonly #bound = new BoundGroups()
  readonly #stop = new AbortController()
  readonly #following = new Map<Kind, Following>(
    kinds.map((kind) => [
      kind,
      { listed: false, version: undefined, failure: undefined, failedAt: 0 },
    ]),
  )
  readonly #waiting = new Set<() => void>()
  #running: Promise<unknown> = Promise.resolve()
  #told: string | undefined

  /** `onChange` hears of a failure once, and once that it is over. */
  constructor(options: {
    target: UpstreamTarget
    onChange: (problem: SallyportError | undefined) => void
  }) {
    this.#target = options.target
    this.#onChange = options.onChange
  }

  get version(): number {
    return this.#bound.version
  }

  has(name: string): boolean {
    return this.#bound.has(name)
  }

  start(): void {
    this.#running = Promise.all(kinds.map((kind) => this.#follow(kind)))
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  problem(): SallyportError | undefined {
    for (const following of this.#following.values()) {
      const { failure, failedAt, listed } = following
      if (failure === undefined) {
        if (!listed) return notYet()
        continue
      }
      // A short break of the watch is no news: nobody can be let in by a binding that is not known yet.
      const passes = failure.code === 'ERR_UPSTREAM_UNREACHABLE' && listed
      if (!passes || performance.now() - failedAt > limits.bindingsStaleMs) return failure
    }
    if (!this.#bound.overflowed) return undefined
    return new SallyportError(
      'ERR_GUARD_IDENTITY',
      `role bindings of the cluster name more than ${limits.boundGroups} groups`,
    )
  }

  /** Resolves when both kinds are listed or one cannot be; `problem()` tells which. @throws when `signal` aborts. */
  async settled(signal: AbortSignal): Promise<void> {
    while (!this.#isSettled()) {
      signal.throwIfAborted()
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#waiting.delete(done)
          signal.removeEventListener('abort', done)
          resolve()
        }
        this.#waiting.add(done)
        signal.addEventListener('abort', done, { once: true })
      })
    }
  }

  #isSettled(): boolean {
    const all = Array.from(this.#following.values())
    return all.every(({ listed }) => listed) || all.some(({ failure }) => failure !== undefined)
  }

  async #follow(kind: Kind): Promise<void> {
    const { signal } = this.#stop
    const backOff = new BackOff()
    while (!signal.aborted) {
      const startedAt = performance.now()
      try {
        await this.#round(kind)
        // A server that ends its watches at once must not be asked without a pause.
        if (performance.now() - startedAt > limits.reconnectMinMs) {
          backOff.reset()
          continue
        }
      } catch (cause) {
        if (signal.aborted) return
        this.#failed(kind, cause)
      }
      await sleep(backOff.next(), undefined, { signal }).catch(() => undefined)
    }
  }

  /** Lists when it must, then watches until the server ends the watch. */
  async #round(kind: Kind): Promise<void> {
    const following = this.#of(kind)
    following.version ??= await this.#list(kind)
    const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${encodeURIComponent(following.version)}`
    const events = watchAsAgent(this.#target, {
      path: `${group}/${kind}?${query}`,
      signal: this.#stop.signal,
      onOpen: () => {
        following.listed = true
        following.failure = undefined
        this.#changed()
      },
    })
    for await (const event of events) this.#take(kind, parseEvent(event))
  }

  async #list(kind: Kind): Promise<string> {
    const present = new Set<string>()
    let next = ''
    for (;;) {
      const query = `limit=${limits.bindingsPerPage}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`
      const page = parseList(
        await readAsAgent(this.#target, `${group}/${kind}?${query}`, this.#stop.signal),
      )
      for (const item of page.items) present.add(this.#set(kind, item))
      next = page.metadata.continue ?? ''
      if (next !== '') continue
      this.#bound.retain(`${kind}/`, present)
      return page.metadata.resourceVersion
    }
  }

  #set(kind: Kind, binding: Static<typeof BindingSchema>): string {
    const key = keyOf(kind, binding)
    this.#bound.set(key, groupsOf(binding))
    return key
  }

  #take(kind: Kind, event: { type: string; object: unknown }): void {
    if (event.type === 'ERROR') {
      const { code } = parseStatus(event.object)
      throw new AgentCallError(code ?? 500)
    }
    const binding = parseBinding(event.object)
    if (event.type === 'DELETED') this.#bound.delete(keyOf(kind, binding))
    else if (event.type !== 'BOOKMARK') this.#set(kind, binding)
    this.#of(kind).version = binding.metadata.resourceVersion
  }

  #failed(kind: Kind, cause: unknown): void {
    const following = this.#of(kind)
    const status = cause instanceof AgentCallError ? cause.status : undefined
    // The API server has forgotten what was before: the list tells it again.
    if (status === gone) {
      following.version = undefined
      return
    }
    if (following.failure === undefined) following.failedAt = performance.now()
    following.failure = failureOf(kind, cause, status)
    this.#changed()
  }

  #changed(): void {
    for (const done of Array.from(this.#waiting)) done()
    if (!this.#isSettled()) return
    const failures = Array.from(this.#following.values(), ({ failure }) => failure)
    const failure = failures.find((one) => one !== undefined)
    if (this.#told === (failure?.message ?? '')) return
    this.#told = failure?.message ?? ''
    this.#onChange(failure)
  }

  #of(kind: Kind): Following {
    const following = this.#following.get(kind)
    if (following === undefined) throw new TypeError('there is no such kind')
    return following
  }
}

function keyOf(kind: Kind, { metadata }: Static<typeof BindingSchema>): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`
}

/** Groups a binding names; names that the guard lets nobody have are not worth keeping. */
function groupsOf({ subjects }: Static<typeof BindingSchema>): string[] {
  return (subjects ?? [])
    .filter(({ kind, name }) => kind === 'Group' && !name.startsWith('system:'))
    .map(({ name }) => name)
}

function notYet(): SallyportError {
  return new SallyportError(
    'ERR_UPSTREAM_UNREACHABLE',
    'the agent has not read the role bindings of the cluster yet',
  )
}

function failureOf(kind: Kind, cause: unknown, status: number | undefined): SallyportError {
  if (status === 403)
    return new SallyportError(
      'ERR_UPSTREAM_AUTH',
      `the agent may not list and watch ${kind}, which it must for principals with more than ${limits.guardGroups} groups`,
      {
        cause,
        remedy:
          'grant the user of the agent list and watch on clusterrolebindings and rolebindings of rbac.authorization.k8s.io',
      },
    )
  if (status === 401)
    return new SallyportError('ERR_UPSTREAM_AUTH', 'the API server refused the agent itself', {
      cause,
    })
  const why = isSallyportError(cause) ? cause.message : undefined
  return new SallyportError('ERR_UPSTREAM_UNREACHABLE', `the agent cannot read ${kind}`, {
    cause,
    ...(why === undefined ? {} : { why }),
  })
}
