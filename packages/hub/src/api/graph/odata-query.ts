/**
 * The query options of a list: `$top`, `$skiptoken`, `$filter`, `$select`, `$count`; every other `$` option is refused, since an
 * option ignored would be a wrong answer.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { isGuid, limits, SallyportError } from '@sallyport/protocol'
import { queryValue } from '../query.ts'
import { parseFilter, type Filter } from './filter.ts'

/** What a client asked for. */
export interface ODataQuery {
  size: number
  /** Id of the last object of the page before. */
  after: string | undefined
  filter: Filter | undefined
  /** Properties wanted; undefined: all. */
  select: string[] | undefined
  count: boolean
}

const known = ['$top', '$skiptoken', '$filter', '$select', '$count']

/** @throws SallyportError ERR_ARM_INVALID_REQUEST naming the option. */
export function odataQuery(request: FastifyRequest, may: { filter: boolean }): ODataQuery {
  for (const name of Object.keys(request.query as object)) {
    const isKnown = known.includes(name.toLowerCase())
    if (name.startsWith('$') && !isKnown) throw invalid(name, 'is not supported')
  }
  const filter = queryValue(request, '$filter')
  if (filter !== undefined && !may.filter) throw invalid('$filter', 'is not supported by this list')
  return {
    size: pageSize(queryValue(request, '$top')),
    after: readSkipToken(queryValue(request, '$skiptoken')),
    filter: filter === undefined ? undefined : parseFilter(filter),
    select: readSelect(queryValue(request, '$select')),
    count: readCount(queryValue(request, '$count')),
  }
}

function pageSize(text: string | undefined): number {
  if (text === undefined) return limits.graphPageSize
  const top = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0
  if (top >= 1 && top <= limits.graphPageSizeMax) return top
  throw invalid('$top', `must be from 1 to ${limits.graphPageSizeMax}`)
}

function readSkipToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined
  const id = Buffer.from(token, 'base64url').toString('utf8')
  if (token.length <= 64 && isGuid(id)) return id.toLowerCase()
  throw invalid('$skiptoken', 'is not one this list gave out')
}

function readSelect(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined
  const names = text.split(',').map((name) => name.trim())
  if (names.length <= 50 && names.every((name) => /^[A-Za-z]{1,64}$/.test(name))) return names
  throw invalid('$select', 'must be names of properties with commas between them')
}

function readCount(text: string | undefined): boolean {
  if (text === undefined || text === 'false') return false
  if (text === 'true') return true
  throw invalid('$count', 'must be true or false')
}

/** The properties wanted of an object. @throws SallyportError ERR_ARM_INVALID_REQUEST for one it does not have. */
export function selected(
  object: Record<string, unknown>,
  select: string[] | undefined,
): Record<string, unknown> {
  if (select === undefined) return object
  const result: Record<string, unknown> = {}
  for (const name of select) {
    const key = Object.keys(object).find((each) => each.toLowerCase() === name.toLowerCase())
    if (key === undefined) throw invalid('$select', `names '${name}', which is not a property here`)
    result[key] = object[key]
  }
  return result
}

/** An answer of a list. */
export interface GraphPage {
  '@odata.context': string
  '@odata.count'?: number
  '@odata.nextLink'?: string
  value: Record<string, unknown>[]
}

/** What a page is made of: one object more than fits is the sign that there is a next page. */
export interface PageParts {
  request: FastifyRequest
  publicUrl: string
  /** Name of the set, for the context. */
  set: string
  asked: ODataQuery
  objects: Record<string, unknown>[]
  total?: number
}

/** Makes the page; the link keeps the client's own options. */
export function toGraphPage(parts: PageParts): GraphPage {
  const { request, publicUrl, asked, total } = parts
  const objects = parts.objects.slice(0, asked.size)
  const page: GraphPage = {
    '@odata.context': `${publicUrl}/v1.0/$metadata#${parts.set}`,
    ...(total === undefined ? {} : { '@odata.count': total }),
    value: objects.map((object) => selected(object, asked.select)),
  }
  const last = objects.at(-1)
  if (parts.objects.length <= asked.size || last === undefined) return page
  const url = new URL(request.url, publicUrl)
  const after = Buffer.from(String(last['id'])).toString('base64url')
  for (const name of [...url.searchParams.keys()]) {
    if (name.toLowerCase() === '$skiptoken') url.searchParams.delete(name)
  }
  url.searchParams.set('$skiptoken', after)
  return { ...page, '@odata.nextLink': `${publicUrl}${url.pathname}${url.search}` }
}

function invalid(name: string, rule: string): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `query option '${name}' ${rule}`, {
    target: name,
  })
}
