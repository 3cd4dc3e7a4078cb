/**
 * Wildcards, scopes and roles, without a store.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { builtInRoles, leastRoleFor } from '../../src/authorization/built-in-roles.ts'
import { matchesAction } from '../../src/authorization/match.ts'
import { roleAllows, type RolePermission } from '../../src/authorization/roles.ts'
import { isWithin, parseScope, rangeBelow, scopeChain } from '../../src/authorization/scopes.ts'

const credential = 'Microsoft.Kubernetes/connectedClusters/listClusterUserCredential/action'
const permission = (parts: Partial<RolePermission>): RolePermission => ({
  actions: [],
  notActions: [],
  dataActions: [],
  notDataActions: [],
  ...parts,
})

describe('a pattern', () => {
  test.each([
    ['*', 'Microsoft.Kubernetes/connectedClusters/read', true],
    ['*/read', 'Microsoft.Kubernetes/connectedClusters/read', true],
    ['*/READ', 'microsoft.kubernetes/connectedclusters/Read', true],
    ['Microsoft.Authorization/*/read', 'Microsoft.Authorization/roleAssignments/read', true],
    ['Microsoft.Authorization/*/read', 'Microsoft.Authorization/a/b/read', true],
    ['Microsoft.Authorization/*/read', 'Microsoft.Authorization/read', false],
    ['*/read', 'Microsoft.Kubernetes/connectedClusters/reader', false],
    ['Microsoft.Kubernetes/connectedClusters/*', 'Microsoft.Kubernetes/connectedClusters', false],
    ['a.b', 'aXb', false],
    ['', 'a', false],
    ['a*b*c', 'a1b2b3c', true],
    ['a*b*c', 'a1c2b', false],
  ])('%s against %s: %s', (pattern, action, expected) => {
    expect(matchesAction(pattern, action)).toBe(expected)
  })

  test('of nothing but stars costs no more than their product', () => {
    expect(matchesAction(`${'*a'.repeat(200)}b`, 'a'.repeat(500))).toBe(false)
  })
})

describe('a role', () => {
  test('takes its notActions away from its own permission only', () => {
    const both = [
      permission({ actions: ['*'], notActions: ['*/write'] }),
      permission({ actions: ['a/write'] }),
    ]
    expect(roleAllows(both, 'b/write')).toBe(false)
    expect(roleAllows(both, 'a/write')).toBe(true)
    expect(roleAllows([permission({ actions: ['*'] })], 'a/read', 'dataAction')).toBe(false)
  })

  test('X145: data roles alone do not let anybody fetch the credential', () => {
    const letIn = builtInRoles
      .filter(({ permissions }) => roleAllows(permissions, credential))
      .map(({ name }) => name)
    expect(letIn).toEqual([
      'Azure Arc Enabled Kubernetes Cluster User Role',
      'Contributor',
      'Owner',
    ])
    expect(leastRoleFor(credential).name).toBe('Azure Arc Enabled Kubernetes Cluster User Role')
    expect(leastRoleFor('Microsoft.Authorization/roleAssignments/write').name).toBe(
      'Role Based Access Control Administrator',
    )
  })

  test('Viewer reads no Secrets, Writer none of RBAC, and each list has the published length', () => {
    const lengths = Object.fromEntries(
      builtInRoles.map(({ name, permissions }) => [name, permissions[0]?.dataActions.length]),
    )
    expect(lengths).toMatchObject({
      'Azure Arc Kubernetes Viewer': 28,
      'Azure Arc Kubernetes Writer': 29,
      'Azure Arc Kubernetes Admin': 32,
      'Azure Arc Kubernetes Cluster Admin': 1,
      Reader: 0,
    })
    const may = (role: string, action: string): boolean =>
      roleAllows(
        builtInRoles.find(({ name }) => name === role)?.permissions ?? [],
        `Microsoft.Kubernetes/connectedClusters/${action}`,
        'dataAction',
      )
    expect(may('Azure Arc Kubernetes Viewer', 'secrets/read')).toBe(false)
    expect(may('Azure Arc Kubernetes Writer', 'secrets/read')).toBe(true)
    expect(may('Azure Arc Kubernetes Writer', 'namespaces/write')).toBe(false)
    expect(may('Azure Arc Kubernetes Writer', 'rbac.authorization.k8s.io/roles/read')).toBe(false)
    expect(may('Azure Arc Kubernetes Admin', 'rbac.authorization.k8s.io/roles/bind/action')).toBe(
      true,
    )
  })
})

describe('a scope', () => {
  const subscription = '3f1f7a52-8d5b-4e0f-9c0d-6f2f6a1c9b22'
  const cluster = `/subscriptions/${subscription}/resourceGroups/rg/providers/Microsoft.Kubernetes/connectedClusters/c1`

  test('is read in any case, with doubled slashes or none in front', () => {
    const parts = { subscriptionId: subscription, resourceGroup: 'rg', cluster: 'c1' }
    expect(parseScope(cluster.toUpperCase())).toEqual({
      subscriptionId: subscription,
      resourceGroup: 'RG',
      cluster: 'C1',
    })
    expect(parseScope(`/${cluster}`)).toEqual(parts)
    expect(parseScope(`${cluster.slice(1)}/namespaces/shop`)).toEqual({
      ...parts,
      namespace: 'shop',
    })
    expect(parseScope('/')).toEqual({})
  })

  test.each([
    '/subscriptions/not-a-guid',
    `/subscriptions/${subscription}/resourceGroups`,
    `/subscriptions/${subscription}/resourceGroups/rg.`,
    `/subscriptions/${subscription}%2FresourceGroups%2Frg`,
    `${cluster}/namespaces/../other`,
    `${cluster}/namespaces/Shop_1`,
    `${cluster}/pods/p1`,
  ])('%s is none', (text) => {
    expect(parseScope(text)).toBeUndefined()
  })

  test('holds what is above it, and its range holds exactly what is below it', () => {
    const chain = scopeChain(parseScope(`${cluster}/namespaces/shop`) ?? {})
    expect(chain).toHaveLength(5)
    expect(chain[0]).toBe('/')
    const key = cluster.toLowerCase()
    const { from, to } = rangeBelow(key)
    const below = (text: string): boolean => text > from && text < to
    expect(below(`${key}/namespaces/shop`)).toBe(true)
    for (const other of [key, `${key}1`, `${key}-x`, `${key}.a`, key.replace('c1', 'c0')]) {
      expect(below(other), other).toBe(false)
      expect(isWithin(other, key)).toBe(other === key)
    }
    expect(rangeBelow('/')).toEqual({ from: '/', to: '0' })
  })
})
