/**
 * The objects the agent keeps in the cluster: put back when changed, left alone when foreign, unmoved by a hub that is away.
 * @module
 */
import { afterAll, beforeAll, expect } from 'vitest'
import { sallyportOk } from '../../src/actors.ts'
import { assign, createApplication, unassign, type Application } from '../../src/directory.ts'
import { connectCluster } from '../../src/lab.ts'
import { eventually } from '../../src/process.ts'
import { applyDirect, direct, directOk, lab } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

const viewer = 'Azure Arc Kubernetes Viewer'
const ours = 'app.kubernetes.io/managed-by=sallyport'
let application: Application

beforeAll(async () => {
  application = await createApplication('materialised-application')
})
afterAll(() => sallyportOk(lab().operator, ['ad', 'sp', 'delete', '--id', application.appId]))

interface Binding {
  metadata: { name: string; uid: string; resourceVersion: string }
  roleRef: { name: string }
  subjects?: { name: string }[]
}

async function bindings(): Promise<Binding[]> {
  const text = await directOk(['get', 'clusterrolebindings', '-l', ours, '-o', 'json'])
  const { items } = JSON.parse(text) as { items: Binding[] }
  return items.filter(({ subjects }) => subjects?.some(({ name }) => name === application.objectId))
}

const untilBindings = (count: number): Promise<Binding[]> =>
  eventually(async () => {
    const found = await bindings()
    return found.length === count ? found : undefined
  }, `${count} bindings of ours`)

verifies('authorization.restore', async () => {
  await assign(viewer, application.objectId)
  const [made] = await untilBindings(1)
  if (made === undefined) throw new Error('no binding')
  await directOk(['delete', 'clusterrolebinding', made.metadata.name])
  const [again] = await untilBindings(1)
  expect(again?.metadata.uid).not.toBe(made.metadata.uid)
  await directOk([
    ...['patch', 'clusterrolebinding', made.metadata.name, '--type=json', '-p'],
    '[{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"mallory","apiGroup":"rbac.authorization.k8s.io"}}]',
  ])
  await eventually(async () => {
    const [found] = await bindings()
    return found?.subjects?.length === 1 ? true : undefined
  }, 'the foreign subject is gone')
  await directOk([
    ...['patch', 'clusterrole', made.roleRef.name, '--type=json', '-p'],
    '[{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["secrets"],"verbs":["*"]}}]',
  ])
  await eventually(async () => {
    const can = await direct([
      'auth',
      'can-i',
      'get',
      'secrets',
      '-A',
      `--as=${application.objectId}`,
    ])
    return can.stdout.trim() === 'no' ? true : undefined
  }, 'the widened role is narrow again')
})

verifies('authorization.foreign', async () => {
  const [binding] = await untilBindings(1)
  const foreign = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'not-of-sallyport', labels: { 'app.kubernetes.io/managed-by': 'sallyport' } },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: binding?.roleRef.name,
    },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'somebody' }],
  }
  await applyDirect(foreign)
  const version = () =>
    directOk([
      ...['get', 'clusterrolebinding', 'not-of-sallyport', '-o'],
      'jsonpath={.metadata.resourceVersion}',
    ])
  const before = await version()
  // A reconcile that had every reason to run over everything of ours.
  await unassign(viewer, application.objectId)
  await untilBindings(0)
  await assign(viewer, application.objectId)
  await untilBindings(1)
  expect(await version()).toBe(before)
  await directOk(['delete', 'clusterrolebinding', 'not-of-sallyport'])
})

verifies('authorization.hub-down', async () => {
  const before = await untilBindings(1)
  const { hub } = lab()
  process.kill(hub.pid, 'SIGSTOP')
  try {
    // Longer than the agent waits for an answer of the hub, so that it has noticed.
    const deadline = Date.now() + 35_000
    await eventually(
      async () => {
        expect(await bindings()).toEqual(before)
        const can = await direct(['auth', 'can-i', 'list', 'pods', `--as=${application.objectId}`])
        expect(can.stdout.trim()).toBe('yes')
        return Date.now() > deadline ? true : undefined
      },
      'the hub has been away for longer than its answers take',
      60_000,
    )
  } finally {
    process.kill(hub.pid, 'SIGCONT')
  }
  expect(await bindings()).toEqual(before)
})

verifies(
  'authorization.catch-up',
  async () => {
    await sallyportOk(lab().operator, ['agent', 'stop', lab().clusterName])
    await unassign(viewer, application.objectId)
    await assign('Azure Arc Kubernetes Writer', application.objectId)
    const [stale] = await bindings()
    await connectCluster(lab())
    const [now] = await eventually(async () => {
      const found = await bindings()
      return found.length === 1 && found[0]?.metadata.uid !== stale?.metadata.uid
        ? found
        : undefined
    }, 'the assignments of meanwhile')
    expect(now?.roleRef.name).not.toBe(stale?.roleRef.name)
    await unassign('Azure Arc Kubernetes Writer', application.objectId)
    await untilBindings(0)
  },
  120_000,
)
