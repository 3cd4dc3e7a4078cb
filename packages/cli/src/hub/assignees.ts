/**
 * Whom a person means by `--assignee`: an object id, a user principal name, an application id, or a display name.
 * @module
 */
import Type, { type Static } from 'typebox'
import { SallyportError, isGuid, isSallyportError } from '@sallyport/protocol'
import type { Scope } from './clusters.ts'

const DirectoryObjectSchema = Type.Object(
  {
    id: Type.String(),
    displayName: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    userPrincipalName: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    appId: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  },
  { additionalProperties: true },
)

const DirectoryPage = Type.Object(
  { value: Type.Array(DirectoryObjectSchema) },
  { additionalProperties: true },
)

/** Microsoft Graph takes as many in one question. */
const idsPerQuestion = 1_000

/** A principal as the directory shows it. */
export interface DirectoryPrincipal {
  objectId: string
  kind: 'user' | 'service principal' | 'group'
  displayName: string
  /** User principal name or application id; what az shows as `principalName`. */
  name: string
}

const kinds = [
  ['users', 'user', 'userPrincipalName'],
  ['servicePrincipals', 'service principal', 'appId'],
  ['groups', 'group', undefined],
] as const

/**
 * The object id a person means. A GUID that the directory does not know as an application id is an object id: the hub says
 * when there is none.
 * @throws SallyportError ERR_PRINCIPAL_NOT_FOUND; ERR_USAGE with the candidates when several have the name.
 */
export async function resolveAssignee(hub: Scope, named: string): Promise<string> {
  if (isGuid(named)) {
    const [application] = await search(hub, kinds[1], `appId eq '${named}'`).catch(nothing)
    return application?.objectId ?? named.toLowerCase()
  }
  const text = named.replaceAll("'", "''")
  const found: DirectoryPrincipal[] = []
  for (const kind of kinds) {
    if (kind[2] === 'userPrincipalName' && named.includes('@')) {
      found.push(...(await search(hub, kind, `userPrincipalName eq '${text}'`)))
    }
    found.push(...(await search(hub, kind, `displayName eq '${text}'`)))
  }
  const candidates = [...new Map(found.map((one) => [one.objectId, one])).values()]
  const [only] = candidates
  if (only === undefined) {
    throw new SallyportError('ERR_PRINCIPAL_NOT_FOUND', `nobody is named '${named}'`)
  }
  if (candidates.length === 1) return only.objectId
  const list = candidates.map((one) => `${one.kind} ${one.objectId} (${one.name})`).join(', ')
  throw new SallyportError('ERR_USAGE', `${candidates.length} principals are named '${named}'`, {
    why: list,
    remedy: `name one by its object id: --assignee ${only.objectId}`,
  })
}

/** Names of principals by object id, as far as the directory lets the caller read it; the rest stay ids. */
export async function principalNames(
  hub: Scope,
  objectIds: readonly string[],
): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  if (objectIds.length === 0) return names
  const found = await hub.client
    .json(
      {
        method: 'POST',
        path: '/v1.0/directoryObjects/getByIds',
        body: { ids: [...new Set(objectIds)].slice(0, idsPerQuestion) },
        signal: hub.signal,
      },
      DirectoryPage,
      'directory',
    )
    .then(({ value }) => value)
    .catch(nothing)
  for (const one of found) {
    const name = one.userPrincipalName ?? one.appId ?? one.displayName
    if (typeof name === 'string') names.set(one.id.toLowerCase(), name)
  }
  return names
}

async function search(
  hub: Scope,
  [path, kind, nameMember]: (typeof kinds)[number],
  filter?: string,
): Promise<DirectoryPrincipal[]> {
  const query = filter === undefined ? '' : `?$filter=${encodeURIComponent(filter)}`
  const { value } = await hub.client.json(
    { method: 'GET', path: `/v1.0/${path}${query}`, signal: hub.signal },
    DirectoryPage,
    'directory',
  )
  return value.map((item) => toPrincipal(item, kind, nameMember))
}

function toPrincipal(
  item: Static<typeof DirectoryObjectSchema>,
  kind: DirectoryPrincipal['kind'],
  nameMember: 'userPrincipalName' | 'appId' | undefined,
): DirectoryPrincipal {
  const displayName = item.displayName ?? item.id
  const name = nameMember === undefined ? displayName : (item[nameMember] ?? displayName)
  return { objectId: item.id.toLowerCase(), kind, displayName, name }
}

/** Reading the directory is a right of its own; without it names stay ids. */
function nothing(error: unknown): never[] {
  const isRefused =
    isSallyportError(error) && (error.entry.status === 403 || error.entry.status === 404)
  if (isRefused) return []
  throw error
}
