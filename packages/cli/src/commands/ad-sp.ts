/**
 * `sallyport ad sp create-for-rbac|create|list|show|delete`.
 * @module
 */
import { randomUUID } from 'node:crypto'
import Type from 'typebox'
import { SallyportError, isSallyportError } from '@sallyport/protocol'
import { getApplication, graphCall, graphList, idOf, type Graph } from '../hub/graph.ts'
import { chosenHub } from '../hub/session.ts'
import {
  applicationColumns,
  applicationIdOption,
  displayNameFilter,
  filtered,
  openGraph,
} from './ad-view.ts'
import type { Command, OptionSpec } from './command.ts'

const nameOption: OptionSpec = {
  long: 'display-name',
  short: 'n',
  aliases: ['name'],
  value: 'NAME',
  summary: 'name that people see',
}

/** Application and service principal are one object here; Graph makes them in two steps. */
async function makeApplication(graph: Graph, displayName: string) {
  const application = await graphCall(graph, 'POST', {
    path: '/applications',
    body: { displayName },
  })
  try {
    return await graphCall(graph, 'POST', {
      path: '/servicePrincipals',
      body: { appId: application.appId },
    })
  } catch (error) {
    if (isSallyportError(error) && error.entry.exit === 8) return application
    throw error
  }
}

/** Makes a service principal with a secret, and gives it a role. */
export const spCreateForRbac: Command = {
  summary: 'make a service principal with a secret, and give it a role',
  description: ['The secret is shown once, as password.'],
  options: [
    nameOption,
    { long: 'role', value: 'ROLE', summary: 'role, by name or id; with --scopes' },
    { long: 'scopes', value: 'SCOPE', variadic: true, summary: 'where it has the role' },
  ],
  examples: [
    { what: 'without a role', line: 'sallyport ad sp create-for-rbac -n nightly-report' },
    {
      what: 'with one',
      line: 'sallyport ad sp create-for-rbac -n ci --role "Azure Arc Kubernetes Viewer" --scopes $ARM_ID_CLUSTER',
    },
  ],
  run: async (context) => {
    const { flags } = context
    const displayName = flags.text('display-name') ?? `sallyport-${new Date().toISOString()}`
    const role = flags.text('role')
    const scopes = flags.list('scopes') ?? []
    if ((role === undefined) !== (scopes.length === 0))
      throw new SallyportError('ERR_USAGE', '--role and --scopes belong together')
    await using graph = openGraph(context)
    const made = await makeApplication(graph, displayName)
    const objectId = idOf(made)
    const { secretText } = await graphCall(graph, 'POST', {
      path: `/servicePrincipals/${objectId}/addPassword`,
      body: { passwordCredential: { displayName: 'rbac' } },
    })
    const result = {
      appId: made.appId,
      displayName,
      password: secretText,
      tenant: chosenHub(context).tenantId,
    }
    context.warn('the password is shown once; it is a credential, keep it out of source control')
    // The secret cannot be had again: it is printed before anything that may fail.
    await context.print(result, [...applicationColumns.slice(0, 2)])
    for (const scope of scopes) await assign(graph, { role: role ?? '', scope, objectId })
    return 0
  },
}

const RoleSchema = Type.Object({ id: Type.String() }, { additionalProperties: true })
const authorizationVersion = 'api-version=2022-04-01'

async function assign(
  graph: Graph,
  wanted: { role: string; scope: string; objectId: string },
): Promise<void> {
  const { role, scope, objectId } = wanted
  const provider = `${scope.replace(/\/+$/, '')}/providers/Microsoft.Authorization`
  const filter = encodeURIComponent(`roleName eq '${role.replaceAll("'", "''")}'`)
  const isId = /^[0-9a-f-]{36}$/i.test(role)
  const definitions = isId
    ? [{ id: `/providers/Microsoft.Authorization/roleDefinitions/${role}` }]
    : await graph.client.list(
        {
          method: 'GET',
          path: `${provider}/roleDefinitions?${authorizationVersion}&$filter=${filter}`,
          signal: graph.signal,
        },
        RoleSchema,
        'list of roles',
      )
  const [definition] = definitions
  if (definition === undefined) {
    throw new SallyportError('ERR_USAGE', `there is no role '${role}' at ${scope}`, {
      why: `the service principal ${objectId} was made without it`,
      remedy: 'sallyport role definition list; sallyport role assignment create',
    })
  }
  await graph.client.call({
    method: 'PUT',
    path: `${provider}/roleAssignments/${randomUUID()}?${authorizationVersion}`,
    body: {
      properties: {
        roleDefinitionId: definition.id,
        principalId: objectId,
        principalType: 'ServicePrincipal',
      },
    },
    signal: graph.signal,
  })
}

/** Makes a service principal without a secret. */
export const spCreate: Command = {
  summary: 'make a service principal without a secret',
  options: [nameOption],
  examples: [{ what: 'for a federated workload', line: 'sallyport ad sp create -n payments' }],
  run: async (context) => {
    const displayName = context.flags.required('display-name', '-n NAME')
    await using graph = openGraph(context)
    await context.print(await makeApplication(graph, displayName), applicationColumns)
    return 0
  },
}

/** Lists service principals. */
export const spList: Command = {
  summary: 'list service principals',
  options: [displayNameFilter, { long: 'all', summary: 'as az has it; all are listed anyway' }],
  examples: [{ what: 'all', line: 'sallyport ad sp list -o table' }],
  run: async (context) => {
    await using graph = openGraph(context)
    await context.print(
      await graphList(graph, filtered('/servicePrincipals', context)),
      applicationColumns,
    )
    return 0
  },
}

/** Shows a service principal. */
export const spShow: Command = {
  summary: 'show a service principal',
  options: [applicationIdOption],
  examples: [
    {
      what: 'the object id, to give roles to',
      line: 'sallyport ad sp show --id CLIENT_ID --query id -o tsv',
    },
  ],
  run: async (context) => {
    const id = context.flags.required('id')
    await using graph = openGraph(context)
    await context.print(await getApplication(graph, id), applicationColumns)
    return 0
  },
}

/** Deletes a service principal. */
export const spDelete: Command = {
  summary: 'delete a service principal with its secrets',
  options: [applicationIdOption],
  examples: [{ what: 'with every session', line: 'sallyport ad sp delete --id CLIENT_ID' }],
  run: async (context) => {
    const id = context.flags.required('id')
    await using graph = openGraph(context)
    const objectId = idOf(await getApplication(graph, id))
    await graphCall(graph, 'DELETE', { path: `/servicePrincipals/${objectId}` })
    return 0
  },
}
