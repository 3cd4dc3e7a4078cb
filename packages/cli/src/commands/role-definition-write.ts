/**
 * `sallyport role definition create`, `sallyport role definition update`.
 * @module
 */
import { SallyportError, type RoleDefinitionPut } from '@sallyport/protocol'
import { findRole, putRole } from '../hub/roles.ts'
import { openHub } from '../hub/session.ts'
import { isObject, type JsonObject } from '../output/value.ts'
import type { Command } from './command.ts'
import { jsonFlag } from './role-options.ts'
import { roleColumns, roleView } from './role-view.ts'

const definition = {
  long: 'role-definition',
  value: 'JSON',
  summary: 'the role: JSON, @FILE or a path',
  complete: 'file',
} as const

const description = [
  'Members: Name, Description, Actions, NotActions, DataActions, NotDataActions, AssignableScopes.',
] as const

/** Makes a custom role. */
export const roleDefinitionCreate: Command = {
  summary: 'make a custom role',
  description,
  options: [definition],
  examples: [
    { what: 'from a file', line: 'sallyport role definition create --role-definition @role.json' },
  ],
  run: async (context) => {
    const body = toBody(jsonFlag(context, 'role-definition'))
    await using hub = await openHub(context)
    const role = await putRole(hub, { scope: firstScope(body), body })
    await context.print(roleView(role), roleColumns)
    return 0
  },
}

/** Replaces a custom role. */
export const roleDefinitionUpdate: Command = {
  summary: 'replace a custom role',
  description,
  options: [definition],
  examples: [
    { what: 'from a file', line: 'sallyport role definition update --role-definition @role.json' },
  ],
  run: async (context) => {
    const given = jsonFlag(context, 'role-definition')
    const body = toBody(given)
    const scope = firstScope(body)
    await using hub = await openHub(context)
    const id = member(given, 'id')
    const named = typeof id === 'string' ? id : body.properties.roleName
    const { name } = await findRole(hub, scope, named)
    const role = await putRole(hub, { id: name, scope, body })
    await context.print(roleView(role), roleColumns)
    return 0
  },
}

/** As az takes roles: flat, names in any case, `Name` for `roleName`; what `list` prints is fine too. */
function toBody(given: JsonObject): RoleDefinitionPut {
  const roleName = member(given, 'roleName') ?? member(given, 'name')
  const scopes = member(given, 'assignableScopes')
  if (typeof roleName !== 'string' || roleName === '') {
    throw new SallyportError('ERR_USAGE', "--role-definition has no 'Name'")
  }
  const assignableScopes = strings(scopes, 'AssignableScopes')
  if (assignableScopes.length === 0) {
    throw new SallyportError('ERR_USAGE', "--role-definition has no 'AssignableScopes'")
  }
  const text = member(given, 'description')
  return {
    properties: {
      roleName,
      description: typeof text === 'string' ? text : '',
      type: 'CustomRole',
      permissions: permissionsOf(given),
      assignableScopes,
    },
  }
}

function permissionsOf(given: JsonObject): RoleDefinitionPut['properties']['permissions'] {
  const list = member(given, 'permissions')
  const sources = Array.isArray(list) ? list.filter(isObject) : [given]
  return sources.map((source) => ({
    actions: strings(member(source, 'actions'), 'Actions'),
    notActions: strings(member(source, 'notActions'), 'NotActions'),
    dataActions: strings(member(source, 'dataActions'), 'DataActions'),
    notDataActions: strings(member(source, 'notDataActions'), 'NotDataActions'),
  }))
}

function member(object: JsonObject, name: string): unknown {
  const key = Object.keys(object).find((one) => one.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : object[key]
}

function strings(value: unknown, name: string): string[] {
  const list: unknown = value ?? []
  const isList = Array.isArray(list) && list.every((item) => typeof item === 'string')
  if (isList) return list
  throw new SallyportError('ERR_USAGE', `'${name}' of --role-definition must be a list of texts`)
}

function firstScope(body: RoleDefinitionPut): string {
  return body.properties.assignableScopes[0] ?? '/'
}
