/**
 * T-RBAC-1: nobody makes or widens an assignment beyond his right to assign: every role held at every scope of a lattice.
 * @module
 */
import { expect, test } from 'vitest'
import { builtInRoles } from '../../src/authorization/built-in-roles.ts'
import { createRolePolicy } from '../../src/authorization/policy.ts'
import { startApi } from '../api/support/api-fixture.ts'
import { addUser } from './support/directory.ts'

const write = 'Microsoft.Authorization/roleAssignments/write'
const assigning = ['Owner', 'Role Based Access Control Administrator', 'User Access Administrator']

test('T-RBAC-1: the right to assign is there exactly where a role with it is held, at the scope or above', async () => {
  await using api = await startApi()
  const user = await addUser(api, 'lattice')
  const principal = api.principals.get('lattice')
  if (principal === undefined) throw new Error('nobody')
  const root = `/subscriptions/${api.subscriptionId}`
  // Names of which one begins another, and one with a wildcard of SQL.
  const branches = ['a', 'ab', 'a_'].map((group) => {
    const top = `${root}/resourceGroups/${group}`
    const cluster = `${top}/providers/Microsoft.Kubernetes/connectedClusters/c`
    return [top, cluster, `${cluster}/namespaces/n`]
  })
  const scopes = ['/', root, ...branches.flat()]
  const above = (scope: string): string[] => {
    const branch = branches.find((one) => one.includes(scope)) ?? []
    const own = branch.slice(0, branch.indexOf(scope) + 1)
    return scope === '/' ? ['/'] : ['/', root, ...own]
  }
  const policy = createRolePolicy({ db: api.store.db, now: api.context.now })
  for (const role of builtInRoles) {
    for (const held of scopes) {
      await api.store.db.deleteFrom('role_assignments').execute()
      const row = {
        assignment_id: 'one',
        scope: held,
        scope_key: held.toLowerCase(),
        role_id: role.id,
        principal_id: user,
        principal_type: 'User',
        description: null,
        expires_at: null,
        expiry_done: 0,
        created_by: '',
        created_at: 0,
        modified_by: '',
        modified_at: 0,
      }
      await api.store.db.insertInto('role_assignments').values(row).execute()
      for (const scope of scopes) {
        const may = await policy({ principal, action: write, scope })
        const expected = assigning.includes(role.name) && above(scope).includes(held)
        expect(may, `${role.name} at ${held} over ${scope}`).toBe(expected)
        expect(await policy({ principal, action: 'Sallyport/issuers/write', scope })).toBe(false)
      }
    }
  }
})
