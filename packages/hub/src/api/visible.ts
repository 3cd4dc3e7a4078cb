/**
 * Lists show what the caller may see, in whole pages: rows he may not see are passed over, not left out of a page.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import type { Action } from '../authorization/actions.ts'
import { visibilityOf, type Visibility } from '../authorization/policy.ts'
import type { Scope } from '../authorization/scopes.ts'
import { principalOf } from './access.ts'
import type { ApiContext } from './context.ts'
import type { PageRequest } from './paging.ts'

/** What the caller of a request may see inside `within`. */
export function visibleTo(
  context: ApiContext,
  request: FastifyRequest,
  asked: { action: Action; within: Scope },
): Promise<Visibility> {
  const parts = { db: context.store.db, now: context.now }
  return visibilityOf(parts, principalOf(request), asked)
}

/** Where rows come from, and which may be seen. */
export interface RowSource<Row> {
  fetch: (after: string[] | undefined, limit: number) => Promise<Row[]>
  keysOf: (row: Row) => string[]
  isVisible: (row: Row) => boolean
}

/** The rows of a page and, as a sign that there is a next one, one more. */
export async function visibleRows<Row>(
  asked: PageRequest,
  { fetch, keysOf, isVisible }: RowSource<Row>,
): Promise<Row[]> {
  const wanted = asked.size + 1
  const found: Row[] = []
  let { after } = asked
  for (;;) {
    const rows = await fetch(after, wanted)
    found.push(...rows.filter(isVisible))
    const last = rows.at(-1)
    if (last === undefined || rows.length < wanted || found.length >= wanted) {
      return found.slice(0, wanted)
    }
    after = keysOf(last)
  }
}
