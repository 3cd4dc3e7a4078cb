/**
 * The lists of the directory, a page at a time in the order of object ids.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { toGroup } from '../../identity/directory/groups.ts'
import { toServicePrincipal } from '../../identity/directory/service-principals.ts'
import { toUser } from '../../identity/directory/users.ts'
import type { ApiContext } from '../context.ts'
import { toCondition, type FilterFields } from './filter-condition.ts'
import { odataQuery, toGraphPage, type GraphPage, type ODataQuery } from './odata-query.ts'
import { renderGroup, renderServicePrincipals, renderUser, type GraphObject } from './render.ts'

const id = { column: 'object_id', type: 'text' } as const
const displayname = { column: 'display_name', type: 'text' } as const
const accountenabled = { column: 'enabled', type: 'boolean' } as const
const appId = { column: 'app_id', type: 'text' } as const

const fieldsOf = {
  users: {
    id,
    displayname,
    accountenabled,
    userprincipalname: { column: 'user_principal_name', type: 'text' },
    mail: { column: 'mail', type: 'text' },
  },
  directory_groups: { id, displayname },
  service_principals: {
    id,
    displayname,
    accountenabled,
    appid: appId,
    serviceprincipalnames: appId,
  },
} as const satisfies Record<string, FilterFields>

type ListedTable = keyof typeof fieldsOf

/** Answers a list of users, groups, or service principals under the name `set`. */
export async function listObjects(
  context: ApiContext,
  request: FastifyRequest,
  list: { table: ListedTable; set: string },
): Promise<GraphPage> {
  const asked = odataQuery(request, { filter: true })
  const where: RawBuilder<SqlBool> =
    asked.filter === undefined ? sql`1 = 1` : toCondition(asked.filter, fieldsOf[list.table])
  const objects = await pageOf(context, list.table, { asked, where })
  const { publicUrl } = context
  const page = { request, publicUrl, set: list.set, asked, objects }
  if (!asked.count) return toGraphPage(page)
  const { total } = await context.store.db
    .selectFrom(list.table)
    .select((select) => select.fn.countAll<number>().as('total'))
    .where(where)
    .executeTakeFirstOrThrow()
  return toGraphPage({ ...page, total })
}

async function pageOf(
  { store: { db } }: ApiContext,
  table: ListedTable,
  { asked, where }: { asked: ODataQuery; where: RawBuilder<SqlBool> },
): Promise<GraphObject[]> {
  const after = asked.after ?? ''
  const limit = asked.size + 1
  switch (table) {
    case 'users': {
      const query = db.selectFrom('users').selectAll().where(where)
      const rows = await query
        .where('object_id', '>', after)
        .orderBy('object_id')
        .limit(limit)
        .execute()
      return rows.map((row) => renderUser(toUser(row)))
    }
    case 'directory_groups': {
      const query = db.selectFrom('directory_groups').selectAll().where(where)
      const rows = await query
        .where('object_id', '>', after)
        .orderBy('object_id')
        .limit(limit)
        .execute()
      return rows.map((row) => renderGroup(toGroup(row)))
    }
    case 'service_principals': {
      const query = db.selectFrom('service_principals').selectAll().where(where)
      const rows = await query
        .where('object_id', '>', after)
        .orderBy('object_id')
        .limit(limit)
        .execute()
      return renderServicePrincipals(db, rows.map(toServicePrincipal))
    }
  }
}
