/**
 * Pages of a list: `$top`, an opaque `$skiptoken` that names the last item seen, an absolute `nextLink`.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { SallyportError, limits, type Page } from '@sallyport/protocol'
import { apiVersionOf } from './api-version.ts'
import { queryValue } from './query.ts'

/** What a client asked for. */
export interface PageRequest {
  /** Items on the page. */
  size: number
  /** Keys of the last item of the page before. */
  after: string[] | undefined
}

/**
 * Reads `$top` and `$skiptoken`; `keys` is how many keys an item of this list has.
 * @throws SallyportError ERR_ARM_INVALID_REQUEST, also for `$filter` where a list has no `filters`: one ignored would be a wrong
 * answer.
 */
export function pageRequest(
  request: FastifyRequest,
  keys: number,
  list: { filters?: boolean } = {},
): PageRequest {
  if (list.filters !== true && queryValue(request, '$filter') !== undefined) {
    throw invalid('$filter', 'is not supported by this list')
  }
  return { size: pageSize(request), after: readSkipToken(request, keys) }
}

function pageSize(request: FastifyRequest): number {
  const text = queryValue(request, '$top')
  if (text === undefined) return limits.armPageSize
  const top = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0
  if (top >= 1 && top <= limits.armPageSizeMax) return top
  throw invalid('$top', `must be from 1 to ${limits.armPageSizeMax}`)
}

function readSkipToken(request: FastifyRequest, keys: number): string[] | undefined {
  const token = queryValue(request, '$skiptoken')
  if (token === undefined) return undefined
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (Array.isArray(parts) && parts.length === keys && parts.every(isShortText)) return parts
  } catch {
    // Said below.
  }
  throw invalid('$skiptoken', 'is not one this list gave out')
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= limits.armNameLength
}

/** How to make a page of `T` out of rows. */
export interface PageMaker<Row, T> {
  publicUrl: string
  /** Path of the list, without query. */
  path: string
  asked: PageRequest
  /** Up to one row more than asked for: the sign that there is a next page. */
  rows: Row[]
  keysOf: (row: Row) => string[]
  render: (row: Row) => T
}

/** Makes the page; `nextLink` is there exactly when there is more. */
export function toPage<Row, T>(request: FastifyRequest, maker: PageMaker<Row, T>): Page<T> {
  const rows = maker.rows.slice(0, maker.asked.size)
  const last = rows.at(-1)
  const value = rows.map((row) => maker.render(row))
  if (maker.rows.length <= maker.asked.size || last === undefined) return { value }
  const filter = queryValue(request, '$filter')
  const query = new URLSearchParams({
    'api-version': apiVersionOf(request),
    ...(filter === undefined ? {} : { $filter: filter }),
    ...(queryValue(request, '$top') === undefined ? {} : { $top: String(maker.asked.size) }),
    $skiptoken: Buffer.from(JSON.stringify(maker.keysOf(last))).toString('base64url'),
  })
  return { value, nextLink: `${maker.publicUrl}${maker.path}?${query.toString()}` }
}

function invalid(name: string, rule: string): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `query parameter '${name}' ${rule}`, {
    target: name,
  })
}
