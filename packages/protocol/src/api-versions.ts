/**
 * The api-versions accepted, per provider namespace (azure-rest-api-specs; all published ones).
 * @module
 */

/** Microsoft.Kubernetes: stable and preview versions, oldest first. */
export const kubernetesApiVersions = [
  '2020-01-01-preview',
  '2021-03-01',
  '2021-10-01',
  '2022-05-01-preview',
  '2022-10-01-preview',
  '2023-11-01-preview',
  '2024-01-01',
  '2024-07-01-preview',
  '2024-07-15-preview',
  '2024-12-01-preview',
  '2025-08-01-preview',
  '2025-12-01-preview',
  '2026-02-01-preview',
  '2026-03-01',
  '2026-05-01',
] as const

/** Microsoft.Authorization: stable and preview versions, oldest first. */
export const authorizationApiVersions = [
  '2015-05-01-preview',
  '2015-06-01',
  '2015-07-01',
  '2016-07-01',
  '2017-09-01',
  '2017-10-01-preview',
  '2018-01-01-preview',
  '2018-05-01-preview',
  '2018-07-01',
  '2018-07-01-preview',
  '2018-09-01-preview',
  '2018-12-01-preview',
  '2019-04-01-preview',
  '2019-08-01-preview',
  '2020-03-01-preview',
  '2020-04-01-preview',
  '2020-08-01-preview',
  '2020-10-01',
  '2020-10-01-preview',
  '2021-04-01-preview',
  '2022-04-01',
  '2022-05-01-preview',
] as const

/** The version our own CLI sends to Microsoft.Authorization. */
export const clientAuthorizationApiVersion = '2022-04-01'

/** The version our own CLI sends. */
export const clientKubernetesApiVersion = '2024-01-01'

/** The version our own CLI sends to Microsoft.Resources. */
export const clientResourcesApiVersion = '2022-12-01'

/** Whether Microsoft.Resources accepts a version: any date of the published range, previews included. */
export function isResourcesApiVersion(text: string): boolean {
  return /^20(1[4-9]|2[0-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(-preview)?$/.test(text)
}
