/**
 * ARM ids and what is derived from them.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  clusterHash,
  formatClusterId,
  isClusterName,
  isResourceGroupName,
  parseClusterId,
  relayPath,
} from '@sallyport/protocol'

const id = {
  subscriptionId: '1bfbb5d0-917e-4346-9026-1d3b344417f5',
  resourceGroup: 'Shops (EU)'.replaceAll(' ', '_'),
  name: 'store-042',
}

describe('cluster id', () => {
  it('round-trips, keywords in any case, names as they came', () => {
    const text = formatClusterId(id)
    expect(parseClusterId(text)).toEqual(id)
    const odd = text
      .replace('resourceGroups', 'RESOURCEGROUPS')
      .replace('Microsoft.Kubernetes', 'microsoft.kubernetes')
    expect(parseClusterId(odd)).toEqual(id)
  })

  it.each([
    '',
    '/',
    'subscriptions/x',
    `/subscriptions/nope/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/c`,
    `${formatClusterId(id)}/namespaces/x`,
    `${formatClusterId(id)}\n`,
  ])('refuses %j', (text) => {
    expect(() => parseClusterId(text)).toThrow(
      expect.objectContaining({ code: 'ERR_ARM_INVALID_REQUEST' }) as Error,
    )
  })

  it('hashes the lower-cased id, as the published example does', async () => {
    const published =
      '/subscriptions/1bfbb5d0-917e-4346-9026-1d3b344417f5/resourceGroups/G/providers/Microsoft.Kubernetes/connectedClusters/C'
    expect(await clusterHash(published)).toBe(await clusterHash(published.toLowerCase()))
    expect(await clusterHash(published)).toMatch(/^[0-9a-f]{64}$/)
    expect(await relayPath(published)).toBe(
      `microsoft.kubernetes/connectedclusters/${await clusterHash(published)}`,
    )
  })
})

describe('T-ENR-2 names are inert in shells, YAML and paths', () => {
  it.each([
    '$(id)',
    "'; rm",
    'a\nb',
    '../../x',
    'a b',
    '-a',
    'a-',
    '',
    'a'.repeat(64),
    'é',
    '"',
    '`x`',
  ])('refuses the cluster name %j', (name) => {
    expect(isClusterName(name)).toBe(false)
  })
  it.each(['a', 'prod-eu', 'Store_042.x', 'a'.repeat(63)])('accepts %j', (name) => {
    expect(isClusterName(name)).toBe(true)
  })
  it.each(['$(id)', 'a/b', 'ends.', '', 'a'.repeat(91)])('refuses the group name %j', (name) => {
    expect(isResourceGroupName(name)).toBe(false)
  })
})
