/**
 * `api-version`: demanded on every ARM path, checked for the provider the path belongs to.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import {
  SallyportError,
  authorizationApiVersions,
  isResourcesApiVersion,
  kubernetesApiVersions,
} from '@sallyport/protocol'
import { queryValue } from './query.ts'

/** Provider namespaces served; `Sallyport` is what ARM has nothing of: paths under `/sallyport/v1`, whose version is in the path. */
export type ApiProvider =
  'Microsoft.Resources' | 'Microsoft.Kubernetes' | 'Microsoft.Authorization' | 'Sallyport'

interface VersionRule {
  accepts: (version: string) => boolean
  /** The accepted versions in words. */
  accepted: string
}

const rules: Record<Exclude<ApiProvider, 'Sallyport'>, VersionRule> = {
  'Microsoft.Resources': {
    accepts: isResourcesApiVersion,
    accepted: "any date from '2014-01-01' on, such as '2022-12-01'",
  },
  'Microsoft.Kubernetes': {
    accepts: (version) => (kubernetesApiVersions as readonly string[]).includes(version),
    accepted: `'${kubernetesApiVersions.join(', ')}'`,
  },
  'Microsoft.Authorization': {
    accepts: (version) => (authorizationApiVersions as readonly string[]).includes(version),
    accepted: `'${authorizationApiVersions.join(', ')}'`,
  },
}

/** The version the client asked for; call only behind `checkApiVersion`. */
export function apiVersionOf(request: FastifyRequest): string {
  return queryValue(request, 'api-version') ?? ''
}

/** @throws SallyportError ERR_ARM_API_VERSION_MISSING, ERR_ARM_API_VERSION naming the accepted ones. */
export function checkApiVersion(provider: ApiProvider, request: FastifyRequest): void {
  if (provider === 'Sallyport') return
  const version = apiVersionOf(request)
  const { accepts, accepted } = rules[provider]
  if (version === '') {
    throw new SallyportError(
      'ERR_ARM_API_VERSION_MISSING',
      'The api-version query parameter (?api-version=) is required for all requests.',
      { target: 'api-version' },
    )
  }
  if (accepts(version)) return
  throw new SallyportError(
    'ERR_ARM_API_VERSION',
    `The api-version given is not valid for '${provider}'. The supported versions are ${accepted}.`,
    { target: 'api-version' },
  )
}
