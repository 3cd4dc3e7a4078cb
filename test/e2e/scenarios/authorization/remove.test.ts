/**
 * A cluster that is disconnected keeps nothing of what its agent made of role assignments, and everything else.
 * @module
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { sallyportOk } from '../../src/actors.ts'
import { assign, clusterScope, createApplication, type Application } from '../../src/directory.ts'
import { connectCluster } from '../../src/lab.ts'
import { eventually } from '../../src/process.ts'
import { applyDirect, directOk, lab } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

const viewer = 'Azure Arc Kubernetes Viewer'
const namespace = 'removal'
const foreign = 'not-of-the-agent'
let application: Application

beforeAll(async () => {
  application = await createApplication('removed-application')
  await applyDirect({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
})
afterAll(async () => {
  await directOk(['delete', 'clusterrolebinding', foreign, '--ignore-not-found'])
  await directOk(['delete', 'namespace', namespace, '--ignore-not-found'])
  await sallyportOk(lab().operator, ['ad', 'sp', 'delete', '--id', application.appId])
})

interface Found {
  kind: string
  metadata: { name: string; labels?: Record<string, string> }
}

/** Objects that carry the name of an agent's. */
async function materialised(): Promise<Found[]> {
  const kinds = 'clusterrolebindings,rolebindings,clusterroles'
  const text = await directOk(['get', kinds, '-A', '-o', 'json'])
  const { items } = JSON.parse(text) as { items: Found[] }
  return items.filter(({ metadata }) => metadata.name.startsWith('sallyport.dev:'))
}

verifies(
  'authorization.remove',
  async () => {
    await assign(viewer, application.objectId)
    await assign(viewer, application.objectId, `${clusterScope()}/namespaces/${namespace}`)
    const made = await eventually(async () => {
      const found = await materialised()
      return new Set(found.map(({ kind }) => kind)).size === 3 ? found : undefined
    }, 'a role, a binding and one in the namespace')
    // Every label of ours, and the role of ours, but never applied by the agent.
    await applyDirect({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: foreign, labels: made[0]?.metadata.labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'somebody' }],
    })
    const { operator, developer, clusterName, resourceGroup } = lab()
    await sallyportOk(operator, [
      ...['connectedk8s', 'delete', '-n', clusterName, '-g', resourceGroup, '--yes'],
    ])
    expect(await materialised()).toEqual([])
    await directOk(['get', 'clusterrolebinding', foreign])
    await connectCluster(lab())
    // The new agent has a new key; nobody but the operator knows that this is as it should be.
    rmSync(join(developer.home, '.config', 'sallyport', 'known_clusters'), { force: true })
    expect(await materialised()).toEqual([])
  },
  240_000,
)
