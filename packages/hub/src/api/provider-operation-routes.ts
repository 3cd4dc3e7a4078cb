/**
 * Microsoft.Authorization/providerOperations: every action and data action that a role may name.
 * @module
 */
import Type from 'typebox'
import { SallyportError } from '@sallyport/protocol'
import { actions } from '../authorization/actions.ts'
import { requires } from './access.ts'
import type { Api } from './api-instance.ts'
import { knownDataActions } from './data-action-check.ts'

interface Operation {
  name: string
  displayName: string
  description: string
  isDataAction: boolean
}

/** The same for every signed-in principal: what could be granted, not what is. */
const config = requires('Microsoft.Authorization/providerOperations/read', 'anyone')
const base = '/providers/Microsoft.Authorization/providerOperations'
const namespaces = ['Microsoft.Authorization', 'Microsoft.Kubernetes', 'Microsoft.Resources']

/** Adds the routes. */
export function registerProviderOperationRoutes(api: Api): void {
  api.get(base, { config }, () => ({ value: namespaces.map(provider) }))
  api.get(
    `${base}/:namespace`,
    { config, schema: { params: Type.Object({ namespace: Type.String() }) } },
    (request) => {
      const wanted = request.params.namespace.toLowerCase()
      const namespace = namespaces.find((name) => name.toLowerCase() === wanted)
      if (namespace !== undefined) return provider(namespace)
      throw new SallyportError('ERR_ARM_NOT_FOUND', 'there is no resource provider of this name', {
        target: 'namespace',
      })
    },
  )
}

function provider(namespace: string) {
  const named = operations().filter(({ name }) => name.startsWith(`${namespace}/`))
  const types = Map.groupBy(named, ({ name }) =>
    name
      .slice(namespace.length + 1)
      .split('/')
      .slice(0, -1)
      .join('/'),
  )
  return {
    id: `${base}/${namespace}`,
    name: namespace,
    type: 'Microsoft.Authorization/providerOperations',
    displayName: namespace.replace('.', ' '),
    resourceTypes: [...types].map(([name, of]) => ({ name, displayName: name, operations: of })),
    operations: [],
  }
}

function operations(): Operation[] {
  return [
    ...Object.entries(actions).map(([name, { operation, description }]) => ({
      name,
      displayName: operation,
      description,
      isDataAction: false,
    })),
    ...knownDataActions().map((name) => ({
      name,
      displayName: name.split('/').slice(2).join(' '),
      description: 'Inside the cluster, enforced by Kubernetes RBAC.',
      isDataAction: true,
    })),
  ]
}
