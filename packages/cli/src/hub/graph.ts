/**
 * The directory of a hub, by its subset of Microsoft Graph.
 * @module
 */
import Type, { type Static } from 'typebox'
import { SallyportError, isSallyportError, jsonParser } from '@sallyport/protocol'
import type { ApiCall, HubClient } from './hub-client.ts'

const CredentialSchema = Type.Object({ keyId: Type.String() }, { additionalProperties: true })

/** An object of the directory; which fields it has depends on its kind. */
const DirectoryObjectSchema = Type.Object(
  {
    id: Type.Optional(Type.String()),
    appId: Type.Optional(Type.String()),
    displayName: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    userPrincipalName: Type.Optional(Type.String()),
    /** Of a new secret, once. */
    secretText: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    keyId: Type.Optional(Type.String()),
    passwordCredentials: Type.Optional(Type.Array(CredentialSchema)),
    keyCredentials: Type.Optional(Type.Array(CredentialSchema)),
  },
  { additionalProperties: true },
)
export type DirectoryObject = Static<typeof DirectoryObjectSchema>

const parsePage = jsonParser(
  Type.Object(
    {
      value: Type.Array(Type.Unknown()),
      '@odata.nextLink': Type.Optional(Type.String()),
    },
    { additionalProperties: true },
  ),
  'list of the directory',
  'ERR_HUB_UNREACHABLE',
)
const parseObject = jsonParser(
  DirectoryObjectSchema,
  'object of the directory',
  'ERR_HUB_UNREACHABLE',
)

/** A list with more pages than this never ends. */
const maxPages = 10_000

/** What calls of the directory need. */
export interface Graph {
  client: HubClient
  signal: AbortSignal
}

/** Sends a call; its answer as an object, empty when there is none. */
export async function graphCall(
  graph: Graph,
  method: ApiCall['method'],
  call: { path: string; body?: unknown },
): Promise<DirectoryObject> {
  const { path, body } = call
  const response = await graph.client.call({
    method,
    path: `/v1.0${path}`,
    signal: graph.signal,
    ...(body === undefined ? {} : { body }),
  })
  return response.text === '' ? {} : parseObject(response.text)
}

/** All values of a list, over all pages. */
export async function graphList(
  graph: Graph,
  path: string,
  request: { method?: 'GET' | 'POST'; body?: unknown } = {},
): Promise<unknown[]> {
  const { method = 'GET', body } = request
  const values: unknown[] = []
  let next: string | undefined = `/v1.0${path}`
  for (let page = 0; next !== undefined; page++) {
    if (page > maxPages) throw new SallyportError('ERR_HUB_UNREACHABLE', 'the list has no end')
    const response = await graph.client.call({
      method,
      path: next,
      signal: graph.signal,
      ...(body === undefined ? {} : { body }),
    })
    const { value, '@odata.nextLink': link } = parsePage(response.text)
    values.push(...value)
    next = link === undefined ? undefined : ownPath(graph, link)
  }
  return values
}

/** Path of a link the hub gave (T-CLI-3). */
function ownPath({ client }: Graph, link: string): string {
  const url = URL.canParse(link) ? new URL(link) : undefined
  if (url?.origin === client.origin) return url.pathname.replace(/^\/graph\//, '/') + url.search
  throw new SallyportError('ERR_HUB_UNTRUSTED', 'the hub sends this client to another address')
}

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

/** A user by object id or user principal name. */
export function getUser(graph: Graph, id: string): Promise<DirectoryObject> {
  return graphCall(graph, 'GET', { path: `/users/${encodeURIComponent(id)}` })
}

/** A service principal by object id, client id or display name. @throws SallyportError ERR_DIRECTORY_NOT_FOUND, ERR_USAGE when several fit. */
export async function getApplication(graph: Graph, id: string): Promise<DirectoryObject> {
  if (guid.test(id)) {
    try {
      return await graphCall(graph, 'GET', { path: `/servicePrincipals/${id}` })
    } catch (error) {
      if (!isSallyportError(error) || error.entry.exit !== 3) throw error
    }
  }
  return one(graph, '/servicePrincipals', {
    filter: guid.test(id) ? `appId eq ${quoted(id)}` : `displayName eq ${quoted(id)}`,
    what: `service principal '${id}'`,
  })
}

/** A group by object id or display name. @throws SallyportError as `getApplication`. */
export function getGroup(graph: Graph, id: string): Promise<DirectoryObject> {
  if (guid.test(id)) return graphCall(graph, 'GET', { path: `/groups/${id}` })
  return one(graph, '/groups', {
    filter: `displayName eq ${quoted(id)}`,
    what: `group '${id}'`,
  })
}

async function one(
  graph: Graph,
  path: string,
  { filter, what }: { filter: string; what: string },
): Promise<DirectoryObject> {
  const found = (await graphList(graph, `${path}?$filter=${encodeURIComponent(filter)}`)).map(
    (value) => parseObject(JSON.stringify(value)),
  )
  const [first, ...more] = found
  if (first === undefined)
    throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', `there is no ${what}`)
  if (more.length === 0) return first
  throw new SallyportError('ERR_USAGE', `there are several: ${what}`, {
    why: found.map((object) => object.id ?? '').join(', '),
    remedy: 'name one by its object id',
  })
}

/** Object id of an object the hub sent. */
export function idOf(object: DirectoryObject): string {
  if (object.id !== undefined && guid.test(object.id)) return object.id
  throw new SallyportError('ERR_HUB_UNREACHABLE', 'the hub sent an object without id')
}
