import {
  rbacBindingName,
  rbacListPath,
  rbacMarks,
  rbacNamePrefix,
  rbacObjectPath,
  rbacRoleName,
  type AgentAssignment,
  type AgentRole,
} from '@sallyport/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { assignment, ClusterRig, mark, role, Subject } from './cluster-rig.ts'

let rig: ClusterRig
let subject: Subject

beforeAll(async () => {
  rig = await ClusterRig.start()
  rig.kubectl(['create', 'namespace', 'team-a'])
})
afterAll(async () => {
  await rig.stop()
})
beforeEach(() => {
  subject = new Subject(rig.target)
})
afterEach(async () => {
  await subject.close()
  const cleaner = new Subject(rig.target)
  if ((await rig.objects()).length > 0)
    await cleaner.reconciled(() => {
      cleaner.materialiser.forget()
    })
  await cleaner.close()
  for (const { metadata } of await rig.objects('foreign'))
    rig.kubectl(['delete', 'clusterrolebinding,clusterrole', metadata.name, '--ignore-not-found'])
})

const names = async (): Promise<string[]> =>
  (await rig.objects()).map(({ metadata }) => metadata.name).sort()
const reader = (): AgentRole => role('Reader of pods', ['pods/read'])
const bindingPath = ({ id, namespace }: AgentAssignment): string =>
  rbacObjectPath({
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    name: rbacBindingName(mark, id),
    namespace,
  })
const get = async (path: string) => (await rig.ask('GET', path)) as { status: number; body: never }

describe('apply', () => {
  test('assignments are there in 2 s, with marks, and go in 2 s', async () => {
    const readers = reader()
    const wide = assignment(readers)
    const narrow = assignment(readers, { namespace: 'team-a', subjectKind: 'Group' })
    const addedMs = await subject.set([readers], [wide, narrow])
    expect(await names()).toEqual(
      [
        rbacRoleName(mark, readers.id),
        rbacBindingName(mark, wide.id),
        rbacBindingName(mark, narrow.id),
      ].sort(),
    )
    expect((await get(bindingPath(narrow))).body).toMatchObject({
      metadata: {
        labels: {
          'app.kubernetes.io/managed-by': 'sallyport',
          'sallyport.dev/cluster': mark,
          'sallyport.dev/assignment': narrow.id,
        },
      },
      roleRef: { kind: 'ClusterRole', name: rbacRoleName(mark, readers.id) },
      subjects: [{ kind: 'Group', name: narrow.principalId }],
    })
    const pods = { verb: 'list', resource: 'pods' }
    expect(await rig.isAllowed({ user: wide.principalId }, pods)).toBe(true)
    const removedMs = await subject.set([readers], [narrow])
    expect(await rig.isAllowed({ user: wide.principalId }, pods)).toBe(false)
    console.log(`effective in ${Math.round(addedMs)} ms, removed in ${Math.round(removedMs)} ms`)
    expect(Math.max(addedMs, removedMs)).toBeLessThan(2_000)
  })

  test('another role under the same assignment replaces the binding', async () => {
    const [one, two] = [reader(), role('Reader of services', ['services/read'])]
    const given = assignment(one)
    await subject.set([one], [given])
    await subject.set([two], [{ ...given, roleId: two.id }])
    expect((await get(bindingPath(given))).body).toMatchObject({
      roleRef: { name: rbacRoleName(mark, two.id) },
    })
    expect(await names()).toEqual(
      [rbacRoleName(mark, two.id), rbacBindingName(mark, given.id)].sort(),
    )
  })

  test('a role RBAC cannot say, and one without data actions, make no object', async () => {
    const refused = role('Odd', ['pods/read'], ['nonsense/read'])
    const empty = role('Cluster User', [])
    const good = reader()
    await subject.set(
      [refused, empty, good],
      [assignment(refused), assignment(empty), assignment(good)],
    )
    expect(await names()).toHaveLength(2)
    expect(subject.log.lines.find(({ event }) => event === 'rbac.role_refused')).toMatchObject({
      roleId: refused.id,
    })
  })

  test('a name of a role that tries to be more is only text', async () => {
    const name = 'x"}], "rules": [{"verbs":["*"]}] \n---\nkind: ClusterRole # 😀'
    const odd = { ...reader(), name }
    await subject.set([odd], [assignment(odd)])
    const path = rbacObjectPath({ kind: 'ClusterRole', name: rbacRoleName(mark, odd.id) })
    expect((await get(path)).body).toMatchObject({
      metadata: { annotations: { [rbacMarks.roleName]: name } },
      rules: [
        { resources: ['pods'] },
        { resources: ['pods/ephemeralcontainers', 'pods/log', 'pods/resize', 'pods/status'] },
      ].reverse(),
    })
  })

  test('a namespace that does not exist yet gets its binding when it appears', async () => {
    const readers = reader()
    const later = assignment(readers, { namespace: 'later' })
    await subject.set([readers], [later])
    await subject.log.until('rbac.pending')
    expect((await get(bindingPath(later))).status).toBe(404)
    await subject.reconciled(() => rig.kubectl(['create', 'namespace', 'later']))
    expect((await get(bindingPath(later))).status).toBe(200)
    expect(subject.log.count('rbac.restored')).toBe(0)
  })
})

describe('changes by hand', () => {
  test('X149 a binding moved to cluster-admin, a wider role, stripped labels, a deletion: all put back and reported', async () => {
    const readers = reader()
    const given = assignment(readers)
    await subject.set([readers], [given])
    const path = bindingPath(given)
    const rolePath = rbacObjectPath({ kind: 'ClusterRole', name: rbacRoleName(mark, readers.id) })
    const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]
    const roleRef = {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'cluster-admin',
    }
    const hands: (() => Promise<unknown>)[] = [
      async () => rig.ask('PATCH', rolePath, { rules: everything }),
      async () => rig.ask('PATCH', path, { subjects: [] }),
      async () => rig.ask('PATCH', path, { metadata: { labels: { [rbacMarks.managedBy]: null } } }),
      async () =>
        rig.ask('PATCH', rolePath, {
          aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
        }),
      async () => rig.ask('DELETE', path),
      async () => rig.ask('DELETE', rolePath),
    ]
    const took: number[] = []
    for (const [index, hand] of hands.entries()) {
      const startedAt = performance.now()
      expect(await hand()).toMatchObject({ status: 200 })
      await subject.log.until('rbac.restored', index + 1)
      took.push(Math.round(performance.now() - startedAt))
      expect((await get(path)).body).toMatchObject({
        metadata: { labels: { [rbacMarks.managedBy]: 'sallyport' } },
        roleRef: { name: rbacRoleName(mark, readers.id) },
        subjects: [{ name: given.principalId }],
      })
      expect((await get(rolePath)).body).not.toMatchObject({ rules: everything })
    }
    expect(subject.materialiser.gauges.rbacRestored).toBe(hands.length)
    console.log(`put back after ${took.join(', ')} ms`)
    expect(Math.max(...took)).toBeLessThan(3_000)
    // The reference to the role cannot be edited; whoever puts a new object there has put a foreign one (X150).
    expect((await rig.ask('PATCH', path, { roleRef })).status).toBe(422)
  })

  test('X149 the agent cannot bind cluster-admin, nor touch what does not bear its name', () => {
    const token = rig.kubectl(['create', 'token', 'agent', '-n', 'sallyport']).trim()
    const asAgent = (words: string[]): string => {
      const { server, caFile } = rig.cluster
      try {
        return rig.kubectl([
          ...['--kubeconfig=/dev/null', `--server=${server}`, `--certificate-authority=${caFile}`],
          ...[`--token=${token}`, ...words],
        ])
      } catch (error) {
        return (error as { stderr: string }).stderr
      }
    }
    const bind = ['create', 'clusterrolebinding', '--user=someone']
    expect(asAgent([...bind, '--clusterrole=cluster-admin', 'sallyport.dev:x'])).toContain(
      'the agent binds only its own roles',
    )
    expect(asAgent([...bind, '--clusterrole=sallyport.dev:x', 'other'])).toContain(
      'the agent writes only its own objects',
    )
    expect(asAgent(['delete', 'clusterrole', 'view'])).toContain('the agent writes only')
    for (const words of [
      ['get', 'secrets', '-A'],
      ['get', 'pods', '-A'],
      ['delete', 'node', 'x'],
    ])
      expect(asAgent(words)).toContain('forbidden')
  })

  test('X150 foreign objects with our name or our label are left alone and reported', async () => {
    const readers = reader()
    const given = assignment(readers)
    const labels = { [rbacMarks.managedBy]: 'sallyport', [rbacMarks.cluster]: mark }
    const group = 'rbac.authorization.k8s.io'
    const foreign = [
      // Our name for an assignment that is about to come, without our labels; and our labels under another name.
      { name: rbacBindingName(mark, given.id), labels: {} },
      { name: 'not-ours', labels },
      { name: `${rbacNamePrefix(mark)}assignment:surplus`, labels },
    ]
    for (const metadata of foreign)
      await rig.ask('POST', rbacListPath('ClusterRoleBinding'), {
        apiVersion: `${group}/v1`,
        kind: 'ClusterRoleBinding',
        metadata,
        roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'view' },
        subjects: [{ kind: 'User', apiGroup: group, name: 'someone' }],
      })
    const state = async () =>
      (await rig.objects('foreign')).map(
        ({ metadata }) =>
          metadata.name + metadata.uid + String(Reflect.get(metadata, 'resourceVersion')),
      )
    const before = await state()
    expect(before).toHaveLength(3)
    const narrow = assignment(readers, { namespace: 'team-a' })
    await subject.set([readers], [given, narrow])
    expect(await state()).toEqual(before)
    expect(subject.log.count('rbac.conflict')).toBe(3)
    expect(subject.materialiser.gauges.rbacConflicts).toBe(3)
    // Not removed with ours either.
    await subject.reconciled(() => {
      subject.materialiser.forget()
    })
    expect(await state()).toEqual(before)
    expect(await names()).toEqual([])
  })

  test('a ClusterRole of the cluster with the name of a role is another object', async () => {
    const definition = { ...reader(), name: 'cluster-admin' }
    await subject.set([definition], [assignment(definition)])
    const { body } = await get('/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin')
    expect(body).toMatchObject({ rules: [{ verbs: ['*'] }, { verbs: ['*'] }] })
  })
})
