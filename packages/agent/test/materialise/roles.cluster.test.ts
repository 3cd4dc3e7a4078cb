import { randomUUID } from 'node:crypto'
import { builtInActions, notInDiscovery, resourceTable } from '@sallyport/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { assignment, ClusterRig, role, Subject } from './cluster-rig.ts'
import {
  customRoles,
  isExpected,
  publishedRoles,
  type ApiRequest,
} from './fixture/published-roles.ts'

let rig: ClusterRig
let subject: Subject

/** A resource or subresource of discovery. */
interface Discovered {
  group: string
  name: string
  namespaced: boolean
  verbs: string[]
}
let discovered: Discovered[]

async function discover(): Promise<Discovered[]> {
  const read = async (path: string): Promise<unknown> => (await rig.ask('GET', path)).body
  const groups = (await read('/apis')) as {
    groups: { name: string; preferredVersion: { groupVersion: string } }[]
  }
  const paths = groups.groups.map(({ name, preferredVersion }) => ({
    group: name,
    path: `/apis/${preferredVersion.groupVersion}`,
  }))
  const lists = await Promise.all(
    [{ group: '', path: '/api/v1' }, ...paths].map(async ({ group, path }) => {
      const list = (await read(path)) as { resources: Omit<Discovered, 'group'>[] }
      return list.resources.map((entry) => ({ ...entry, group }))
    }),
  )
  return lists.flat()
}

beforeAll(async () => {
  rig = await ClusterRig.start()
  subject = new Subject(rig.target)
  discovered = await discover()
  for (const name of ['team-a', 'team-b']) rig.kubectl(['create', 'namespace', name])
})
afterAll(async () => {
  await subject.close()
  await rig.stop()
})

describe('the table and the live API server', () => {
  const full = (group: string, name: string): string => `${group}/${name}`

  test('every resource and subresource of discovery is in the table', () => {
    const known = new Set(
      Object.entries(resourceTable).flatMap(([group, resources]) =>
        Object.entries(resources).flatMap(([name, { subresources }]) =>
          [name, ...subresources.map((sub) => `${name}/${sub.name}`)].map((n) => full(group, n)),
        ),
      ),
    )
    expect(
      discovered.map(({ group, name }) => full(group, name)).filter((n) => !known.has(n)),
    ).toEqual([])
    const live = new Set(discovered.map(({ group, name }) => full(group, name)))
    const excepted = (key: string): boolean =>
      notInDiscovery.some((exception) =>
        exception.endsWith('/*') ? key.startsWith(exception.slice(0, -1)) : key === `/${exception}`,
      )
    expect([...known].filter((key) => !live.has(key) && !excepted(key))).toEqual([])
    expect(notInDiscovery.length).toBe(3)
  })

  test('every verb of discovery is given by exactly one data action, and no data action gives another on a subresource', () => {
    const given = new Map<string, string[]>()
    for (const { key, grants } of builtInActions)
      for (const { group, resource, verbs } of grants)
        for (const verb of verbs) {
          const request = `${full(group, resource)} ${verb}`
          given.set(request, [...(given.get(request) ?? []), key])
        }
    const requests = discovered.flatMap(({ group, name, verbs }) =>
      verbs.map((verb) => `${full(group, name)} ${verb}`),
    )
    expect(requests.filter((request) => given.get(request)?.length !== 1)).toEqual([])
    const live = new Set(requests)
    const extra = [...given.keys()].filter(
      (key) => !live.has(key) && !key.startsWith('extensions/') && key.split('/').length > 2,
    )
    expect(extra).toEqual([])
  })
})

describe('the matrix role × verb × resource × scope', () => {
  const published = Object.entries(publishedRoles).map(([name, data]) => ({ name, data, not: [] }))
  const custom = Object.entries(customRoles).map(([name, { data, not }]) => ({ name, data, not }))

  /** Requests of discovery, of a custom resource, and those only RBAC and impersonation make. */
  function requests(): (ApiRequest & { namespaced: boolean })[] {
    const power = (name: string, verb: string, namespaced: boolean) => {
      const [group = '', resource = ''] = name.split('/')
      return { group, resource, subresource: '', verb, namespaced }
    }
    const rbac = 'rbac.authorization.k8s.io'
    return [
      ...discovered.flatMap(({ group, name, verbs, namespaced }) => {
        const [resource = '', subresource = ''] = name.split('/')
        return verbs.map((verb) => ({ group, resource, subresource, verb, namespaced }))
      }),
      ...['get', 'list', 'create', 'patch', 'delete', 'deletecollection'].map((verb) =>
        power('example.com/widgets', verb, true),
      ),
      ...['bind', 'escalate'].flatMap((verb) => [
        power(`${rbac}/roles`, verb, true),
        power(`${rbac}/clusterroles`, verb, false),
      ]),
      power('/serviceaccounts', 'impersonate', true),
      power('/users', 'impersonate', false),
      power('/groups', 'impersonate', false),
    ]
  }

  test('the API server answers as the published tables say: no difference', async () => {
    const definitions = [...published, ...custom]
    const roles = definitions.map(({ name, data, not }) => role(name, data, not))
    const cases = definitions.flatMap((definition, index) =>
      (['User', 'Group'] as const).flatMap((subjectKind) =>
        [undefined, 'team-a'].map((namespace) => ({
          definition,
          namespace,
          assignment: assignment(roles[index]!, {
            subjectKind,
            ...(namespace === undefined ? {} : { namespace }),
          }),
        })),
      ),
    )
    await subject.set(
      roles,
      cases.map((entry) => entry.assignment),
    )
    const questions = cases.flatMap((entry) =>
      requests().flatMap((request) =>
        (request.namespaced ? ['', 'team-a', 'team-b'] : ['']).map((scope) => ({
          ...entry,
          request,
          scope,
        })),
      ),
    )
    const differences: object[] = []
    let allowed = 0
    const queue = questions.values()
    const worker = async (): Promise<void> => {
      for (const { definition, assignment: given, namespace, request, scope } of queue) {
        const { group, resource, subresource, verb } = request
        const who =
          given.subjectKind === 'User'
            ? { user: given.principalId }
            : { user: randomUUID(), groups: [given.principalId] }
        const attributes = { namespace: scope, group, resource, subresource, verb }
        const actual = await rig.isAllowed(who, attributes)
        const inScope = namespace === undefined || namespace === scope
        const expected = inScope && isExpected(definition, request)
        if (actual) allowed++
        if (actual !== expected)
          differences.push({ role: definition.name, assigned: namespace, ...attributes, actual })
      }
    }
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: 16 }, worker))
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(
      `matrix: ${questions.length} questions (${allowed} allowed), ${differences.length} differences, ${seconds} s`,
    )
    expect(differences.slice(0, 20)).toEqual([])
    expect(questions.length).toBeGreaterThan(30_000)
  })

  test('`kubectl auth can-i --list` tells the same', async () => {
    const definitions = [...published, ...custom]
    const roles = definitions.map(({ name, data, not }) => role(name, data, not))
    const given = roles.map((one) => assignment(one, { namespace: 'team-a' }))
    await subject.set(roles, given)
    const differences: string[] = []
    let compared = 0
    for (const [index, definition] of definitions.entries()) {
      const listed = rig.canIList(given[index]!.principalId, 'team-a')
      for (const request of requests().filter(({ namespaced }) => namespaced)) {
        compared++
        if (listed(request) === isExpected(definition, request)) continue
        differences.push(`${definition.name}: ${JSON.stringify(request)}`)
      }
    }
    console.log(`can-i --list: ${compared} answers compared, ${differences.length} differences`)
    expect(differences.slice(0, 20)).toEqual([])
  })
})

describe('escalations', () => {
  const viewer = () => role('Viewer', publishedRoles.Viewer)

  test('a Viewer reads no Secret by any path, and opens no connection by any method', async () => {
    const definition = viewer()
    const given = assignment(definition)
    await subject.set([definition], [given])
    const who = { user: given.principalId }
    const never: [string, string, string][] = [
      ...['get', 'list', 'watch'].map((verb): [string, string, string] => ['secrets', '', verb]),
      ...['exec', 'attach', 'portforward', 'proxy'].flatMap((sub) =>
        ['get', 'create'].map((verb): [string, string, string] => ['pods', sub, verb]),
      ),
      ['pods', 'ephemeralcontainers', 'patch'],
      ['pods', 'ephemeralcontainers', 'update'],
      ['services', 'proxy', 'get'],
      ['nodes', 'proxy', 'get'],
      ['nodes', 'proxy', 'create'],
      ['serviceaccounts', 'token', 'create'],
      ['serviceaccounts', '', 'impersonate'],
    ]
    for (const [resource, subresource, verb] of never)
      expect(
        await rig.isAllowed(who, { namespace: 'team-a', resource, subresource, verb }),
        `${verb} ${resource}/${subresource}`,
      ).toBe(false)
    expect(
      await rig.isAllowed(who, {
        namespace: 'team-a',
        resource: 'pods',
        subresource: 'log',
        verb: 'get',
      }),
    ).toBe(true)
  })

  test('an Admin of one namespace reaches no other, nor more in its own', async () => {
    const definition = role('Admin', publishedRoles.Admin)
    const given = assignment(definition, { namespace: 'team-a' })
    await subject.set([definition], [given])
    const as = (words: string[], input?: string): string => {
      try {
        return rig.kubectl([...words, `--as=${given.principalId}`], input)
      } catch (error) {
        return (error as { stderr: string }).stderr
      }
    }
    const create = (namespace: string, object: object): string =>
      as(['create', '-n', namespace, '-f', '-'], JSON.stringify(object))
    const roleWith = (name: string, resources: string[]) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name },
      rules: [{ apiGroups: [''], resources, verbs: ['*'] }],
    })
    const bindingTo = (kind: string, name: string) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: `to-${name}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: given.principalId }],
    })
    const readPods = roleWith('pods-reader', ['pods'])
    readPods.rules[0]!.verbs = ['get', 'list']
    expect(create('team-a', readPods)).toContain('created')
    expect(create('team-a', bindingTo('Role', 'pods-reader'))).toContain('created')
    // What it has not, it cannot give itself: Kubernetes' own rule holds, since the role has neither bind nor escalate.
    expect(create('team-a', roleWith('all', ['*']))).toContain(
      'attempting to grant RBAC permissions not currently held',
    )
    expect(create('team-a', roleWith('quota', ['resourcequotas']))).toContain('not currently held')
    expect(create('team-a', bindingTo('ClusterRole', 'cluster-admin'))).toContain(
      'not currently held',
    )
    expect(create('team-b', readPods)).toContain('forbidden')
    expect(create('team-b', bindingTo('Role', 'pods-reader'))).toContain('forbidden')
    expect(as(['get', 'secrets', '-n', 'team-b'])).toContain('forbidden')
    expect(as(['get', 'secrets', '-A'])).toContain('forbidden')
    expect(as(['get', 'nodes'])).toContain('forbidden')
  })

  test('exec, attach and port-forward work by POST and by GET (WebSocket), or by neither', async () => {
    const able = role('Executor', ['pods/exec/action'])
    const unable = role('Writer of pods', ['pods/read', 'pods/write'])
    const [mayExec, mayNot] = [assignment(able), assignment(unable)]
    await subject.set([able, unable], [mayExec, mayNot])
    // Without such a pod the API server answers 404 to who is allowed, 403 to who is not.
    const open = (user: string, verb: string, subresource: string): string => {
      const path = `/api/v1/namespaces/team-a/pods/none/${subresource}?command=true&ports=80`
      try {
        return rig.kubectl([
          verb,
          '--raw',
          path,
          `--as=${user}`,
          ...(verb === 'create' ? ['-f', '-'] : []),
        ])
      } catch (error) {
        return (error as { stderr: string }).stderr
      }
    }
    for (const verb of ['create', 'get']) {
      expect(open(mayExec.principalId, verb, 'exec')).toContain('(NotFound)')
      expect(open(mayNot.principalId, verb, 'exec')).toContain('(Forbidden)')
      for (const subresource of ['attach', 'portforward']) {
        expect(open(mayExec.principalId, verb, subresource)).toContain('(Forbidden)')
        expect(open(mayNot.principalId, verb, subresource)).toContain('(NotFound)')
      }
    }
  })
})
