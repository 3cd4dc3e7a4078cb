/**
 * Resource groups: the boxes connected clusters lie in.
 * @module
 */
import type { Kysely } from 'kysely'
import { SallyportError, type Tags } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import type { Store } from '../store/store.ts'
import type { ResourceGroupTable } from './tables.ts'

/** Names a resource group; both in any case. */
export interface ResourceGroupKey {
  subscriptionId: string
  name: string
}

/** One resource group, undefined when there is none. */
export async function findResourceGroup(
  db: Kysely<Database>,
  key: ResourceGroupKey,
): Promise<ResourceGroupTable | undefined> {
  return db
    .selectFrom('resource_groups')
    .selectAll()
    .where('subscription_id', '=', key.subscriptionId.toLowerCase())
    .where('group_key', '=', key.name.toLowerCase())
    .executeTakeFirst()
}

/** As `findResourceGroup`. @throws SallyportError ERR_ARM_GROUP_NOT_FOUND. */
export async function requireResourceGroup(
  db: Kysely<Database>,
  key: ResourceGroupKey,
): Promise<ResourceGroupTable> {
  const found = await findResourceGroup(db, key)
  if (found !== undefined) return found
  throw new SallyportError(
    'ERR_ARM_GROUP_NOT_FOUND',
    `Resource group '${key.name}' could not be found.`,
  )
}

/** Resource groups of a subscription after `after` (a lower-cased name), at most `limit`, by name. */
export async function listResourceGroups(
  db: Kysely<Database>,
  page: { subscriptionId: string; after: string | undefined; limit: number },
): Promise<ResourceGroupTable[]> {
  return db
    .selectFrom('resource_groups')
    .selectAll()
    .where('subscription_id', '=', page.subscriptionId.toLowerCase())
    .$if(page.after !== undefined, (q) => q.where('group_key', '>', page.after ?? ''))
    .orderBy('group_key')
    .limit(page.limit)
    .execute()
}

/** What a PUT of a resource group brings. */
export interface ResourceGroupPutInput extends ResourceGroupKey {
  location: string
  tags: Tags
  now: number
}

/**
 * Makes or updates a resource group; a location is for good.
 * @throws SallyportError ERR_ARM_CONFLICT when the group exists in another location.
 */
export async function putResourceGroup(
  store: Store,
  input: ResourceGroupPutInput,
): Promise<{ group: ResourceGroupTable; created: boolean }> {
  return store.transaction(async (trx) => {
    const found = await findResourceGroup(trx, input)
    const tags = JSON.stringify(input.tags)
    if (found === undefined) {
      const group: ResourceGroupTable = {
        subscription_id: input.subscriptionId.toLowerCase(),
        group_key: input.name.toLowerCase(),
        name: input.name,
        location: input.location,
        tags,
        created_at: input.now,
      }
      await trx.insertInto('resource_groups').values(group).execute()
      return { group, created: true }
    }
    if (found.location !== input.location) {
      throw new SallyportError(
        'ERR_ARM_CONFLICT',
        `resource group '${found.name}' is in location '${found.location}'; a location cannot be changed`,
        { target: 'location' },
      )
    }
    return { group: await writeTags(trx, found, tags), created: false }
  })
}

/**
 * Replaces the tags of a resource group.
 * @throws SallyportError ERR_ARM_GROUP_NOT_FOUND.
 */
export async function tagResourceGroup(
  store: Store,
  key: ResourceGroupKey,
  tags: Tags | undefined,
): Promise<ResourceGroupTable> {
  return store.transaction(async (trx) => {
    const found = await requireResourceGroup(trx, key)
    return tags === undefined ? found : writeTags(trx, found, JSON.stringify(tags))
  })
}

/**
 * Deletes a resource group with everything in it, as ARM does; the foreign keys take the clusters along.
 * @returns whether there was one.
 */
export async function deleteResourceGroup(
  db: Kysely<Database>,
  key: ResourceGroupKey,
): Promise<boolean> {
  const result = await db
    .deleteFrom('resource_groups')
    .where('subscription_id', '=', key.subscriptionId.toLowerCase())
    .where('group_key', '=', key.name.toLowerCase())
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

async function writeTags(
  db: Kysely<Database>,
  group: ResourceGroupTable,
  tags: string,
): Promise<ResourceGroupTable> {
  if (tags === group.tags) return group
  await db
    .updateTable('resource_groups')
    .set({ tags })
    .where('subscription_id', '=', group.subscription_id)
    .where('group_key', '=', group.group_key)
    .execute()
  return { ...group, tags }
}
