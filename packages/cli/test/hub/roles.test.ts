/**
 * Roles, assignments and features against a real hub.
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, type CliResult } from '../run-cli.ts'
import { signedIn, startRealHub, type RealHub } from './real-hub.ts'

let hub: RealHub
beforeAll(async () => {
  hub = await startRealHub()
}, 60_000)
afterAll(() => hub.stop())

const json = (result: CliResult): unknown => {
  expect(result.code, result.stderr).toBe(0)
  return JSON.parse(result.stdout)
}
const run = async (home: string, ...argv: string[]): Promise<CliResult> =>
  cli([...argv, '-o', 'json'], { home })

describe('role', () => {
  it('assignment: made, listed as az does, updated, deleted', async () => {
    const home = await signedIn(hub)
    await cli(['group', 'create', '-n', 'roles'], { home })
    const scope = `/subscriptions/${hub.subscriptionId}/resourceGroups/roles`
    const assignment = ['role', 'assignment']
    const by = ['--assignee', hub.clientId, '--role', 'reader', '--scope', scope]
    const byObject = ['--assignee-object-id', hub.objectId, ...by.slice(2)]
    const made = json(await run(home, ...assignment, 'create', ...byObject)) as { id: string }
    expect(made).toMatchObject({
      principalId: hub.objectId,
      principalType: 'ServicePrincipal',
      roleDefinitionName: 'Reader',
      resourceGroup: 'roles',
      scope,
      type: 'Microsoft.Authorization/roleAssignments',
    })
    const again = await run(home, ...assignment, 'create', ...byObject)
    // As az: what is asked for is there. With details of its own it is another wish.
    expect(again.code, again.stderr).toBe(0)
    expect(again.stdout).toContain(made.id)
    const other = await run(home, ...assignment, 'create', ...byObject, '--description', 'more')
    expect([other.code, other.stderr]).toEqual([8, expect.stringContaining('already exists')])
    const ids = async (...argv: string[]): Promise<string[]> =>
      (json(await run(home, ...assignment, 'list', ...argv)) as { id: string }[]).map(
        ({ id }) => id,
      )
    expect(await ids()).toEqual([])
    expect(await ids('--all')).toEqual([made.id])
    expect(await ids('-g', 'roles', '--assignee-object-id', hub.objectId)).toEqual([made.id])
    expect(await ids('-g', 'roles', '--role', 'Owner')).toEqual([])
    const file = join(home, 'assignment.json')
    const expiresOn = new Date(Date.now() + 86_400_000).toISOString()
    writeFileSync(file, JSON.stringify({ ...made, description: 'until tomorrow', expiresOn }))
    const updated = await run(home, ...assignment, 'update', '--role-assignment', `@${file}`)
    expect(json(updated)).toMatchObject({ id: made.id, description: 'until tomorrow', expiresOn })
    expect((await cli([...assignment, 'delete', '--yes', '--ids', made.id], { home })).code).toBe(0)
    expect(await ids('--all')).toEqual([])
    const missing = ['--assignee-object-id', hub.objectId, '--role', 'Owner', '--scope', scope]
    expect((await cli([...assignment, 'delete', ...missing], { home })).code).toBe(3)
    expect((await cli([...assignment, 'delete'], { home })).code).toBe(2)
  })

  it('definition: made from JSON, listed, shown, updated, deleted', async () => {
    const home = await signedIn(hub)
    const definition = ['role', 'definition']
    const role = {
      Name: 'Deployment Reader',
      Description: 'reads deployments',
      DataActions: ['Microsoft.Kubernetes/connectedClusters/apps/deployments/read'],
      AssignableScopes: [`/subscriptions/${hub.subscriptionId}`],
    }
    const given = (value: unknown) => ['--role-definition', JSON.stringify(value)]
    const made = json(await run(home, ...definition, 'create', ...given(role)))
    expect(made).toMatchObject({ roleName: 'Deployment Reader', roleType: 'CustomRole' })
    const custom = json(await run(home, ...definition, 'list', '--custom-role-only'))
    expect(custom).toEqual([made])
    const changed = { ...role, Description: 'only reads' }
    expect(json(await run(home, ...definition, 'update', ...given(changed)))).toMatchObject({
      description: 'only reads',
    })
    const shown = await run(home, ...definition, 'show', '-n', 'deployment reader')
    expect(json(shown)).toMatchObject({ description: 'only reads' })
    expect((await cli([...definition, 'delete', '-n', 'Deployment Reader'], { home })).code).toBe(0)
    const gone = await cli([...definition, 'show', '-n', 'Deployment Reader'], { home })
    expect([gone.code, gone.stderr]).toEqual([3, expect.stringContaining('role definition list')])
  })
})

describe('features', () => {
  it('are switched off and on, with what depends on them', async () => {
    const home = await signedIn(hub)
    await cli(['group', 'create', '-n', 'features'], { home })
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const body = JSON.stringify({
      location: 'local',
      identity: { type: 'SystemAssigned' },
      properties: {
        agentPublicKeyCertificate: publicKey
          .export({ type: 'spki', format: 'der' })
          .toString('base64'),
      },
    })
    const path =
      '/subscriptions/{subscription}/resourceGroups/features/providers/Microsoft.Kubernetes/connectedClusters/c1'
    expect((await cli(['api', 'PUT', path, '-b', body], { home })).code).toBe(0)
    const change = (verb: string, ...features: string[]) =>
      run(home, 'connectedk8s', verb, '-n', 'c1', '-g', 'features', '--features', ...features)
    expect(json(await change('disable-features', 'cluster-connect', 'azure-rbac'))).toMatchObject({
      aadProfile: { enableAzureRBAC: false },
      arcAgentryConfigurations: [
        { feature: 'cluster-connect', settings: { enabled: 'false' } },
        { feature: 'custom-locations', settings: { enabled: 'false' } },
      ],
    })
    expect(json(await change('enable-features', 'custom-locations'))).toMatchObject({
      arcAgentryConfigurations: [
        { feature: 'cluster-connect', settings: { enabled: 'true' } },
        { feature: 'custom-locations', settings: { enabled: 'true' } },
      ],
    })
    expect((await change('disable-features', 'cluster-connect')).code).toBe(8)
    expect((await change('enable-features', 'telepathy')).code).toBe(2)
  })
})
