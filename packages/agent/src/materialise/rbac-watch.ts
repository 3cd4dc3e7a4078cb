/**
 * Watches the objects of this agent, and namespaces, for as long as it runs. A watch that ends is opened again.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  limits,
  parser,
  rbacKinds,
  rbacListPath,
  rbacManager,
  rbacMarks,
  type RbacKind,
} from '@sallyport/protocol'
import { BackOff } from '@sallyport/tunnel'
import Type, { type Static } from 'typebox'
import { watchAsAgent } from '../upstream/agent-call.ts'
import type { UpstreamTarget } from '../upstream/target.ts'
import { RbacObjectSchema } from './inventory.ts'

const open = { additionalProperties: true } as const
const parseEvent = parser(
  Type.Object(
    {
      type: Type.String(),
      object: Type.Unknown(),
    },
    open,
  ),
  'event of a watch',
  'ERR_UPSTREAM_UNREACHABLE',
)

const parseObject = parser(RbacObjectSchema, 'object of a watch', 'ERR_UPSTREAM_UNREACHABLE')

/** Something happened to an object, or was there when the watch began. */
export interface RbacEvent {
  kind: RbacKind | 'Namespace'
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: Static<typeof RbacObjectSchema>
}

/** What the watches are made of. */
export interface RbacWatchOptions {
  target: UpstreamTarget
  mark: string
  onEvent: (event: RbacEvent) => void
  /** A watch was opened again: deletions in between have no event. */
  onGap: () => void
  onFailure: (error: unknown) => void
  signal: AbortSignal
}

/** Watches until the signal; never rejects. */
export async function watchRbac(options: RbacWatchOptions): Promise<void> {
  const selector = `${rbacMarks.managedBy}=${rbacManager},${rbacMarks.cluster}=${options.mark}`
  const paths = rbacKinds.map(({ kind }) => ({
    kind,
    path: `${rbacListPath(kind)}?labelSelector=${encodeURIComponent(selector)}&`,
  }))
  await Promise.all(
    [...paths, { kind: 'Namespace' as const, path: '/api/v1/namespaces?' }].map(
      async ({ kind, path }) => watchKind(options, kind, path),
    ),
  )
}

async function watchKind(
  options: RbacWatchOptions,
  kind: RbacEvent['kind'],
  path: string,
): Promise<void> {
  const { signal } = options
  const backOff = new BackOff({ maxMs: limits.materialiseRetryMaxMs })
  const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${limits.materialiseWatchMs / 1000}`
  for (let first = true; !signal.aborted; first = false) {
    try {
      const onOpen = (): void => {
        backOff.reset()
        if (!first) options.onGap()
      }
      const lines = watchAsAgent(options.target, { path: path + query, signal, onOpen })
      for await (const line of lines) {
        const { type, object } = parseEvent(line)
        if (type === 'ERROR') break
        if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED')
          options.onEvent({ kind, type, object: parseObject(object) })
      }
    } catch (error) {
      if (signal.aborted) return
      options.onFailure(error)
    }
    await sleep(backOff.next(), undefined, { signal }).catch(() => undefined)
  }
}
