/**
 * A call for every route: its method, and its path with the names of a group `rg` and a cluster `c1` in it.
 * @module
 */
import type { RouteOptions } from 'fastify'
import type { ApiFixture } from './api-fixture.ts'

/** Method of a route. */
export const methodOf = (route: RouteOptions): string => [route.method].flat()[0] ?? ''

/** Path of a route with its parameters filled in. */
export const pathOfRoute = (api: ApiFixture, route: RouteOptions): string =>
  route.url
    .replace(':subscriptionId', api.subscriptionId)
    .replace(':resourceGroupName', 'rg')
    .replace(':clusterName', 'c1')
    .replace(':namespace', 'shop')
    .replace(/:appId\([^)]*\)/, '00000000-0000-4000-8000-000000000000')
    .replaceAll(/:[a-zA-Z]+/g, 'x')
