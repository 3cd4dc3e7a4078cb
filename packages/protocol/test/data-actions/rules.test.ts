import { describe, expect, test } from 'vitest'
import { checkDataActions, rulesOf, type PolicyRule } from '../../src/index.ts'

const prefix = 'Microsoft.Kubernetes/connectedClusters/'
const named = (actions: string[]): string[] => actions.map((action) => prefix + action)
const permission = (data: string[], not: string[] = []) => ({
  dataActions: named(data),
  notDataActions: named(not),
})
const rules = (data: string[], not: string[] = []): PolicyRule[] => {
  const result = rulesOf([permission(data, not)])
  expect(result.problems).toEqual([])
  return result.rules
}
const problem = (data: string[], not: string[] = []): string =>
  checkDataActions([permission(data, not)]).join('\n')
/** Whether some rule gives the verb on the resource; only for rules without wildcards. */
const gives = (given: PolicyRule[], target: string, verb: string): boolean => {
  const [group = '', ...resource] = target.split('/')
  return given.some(
    (rule) =>
      rule.apiGroups?.includes(group) === true &&
      rule.resources?.includes(resource.join('/')) === true &&
      rule.verbs.includes(verb),
  )
}

describe('what data actions give', () => {
  test('read, write and delete, each with the subresources that belong to it', () => {
    expect(rules(['apps/deployments/read'])).toEqual([
      {
        apiGroups: ['apps'],
        resources: ['deployments/scale', 'deployments/status'],
        verbs: ['get'],
      },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch'] },
    ])
    expect(rules(['configmaps/write', 'configmaps/delete'])).toEqual([
      {
        apiGroups: [''],
        resources: ['configmaps'],
        verbs: ['create', 'delete', 'deletecollection', 'patch', 'update'],
      },
    ])
  })

  test('connections need write, exec its own action, by every method or none', () => {
    const reader = rules(['pods/read'])
    expect(gives(reader, '/pods/log', 'get')).toBe(true)
    for (const sub of ['exec', 'attach', 'portforward', 'proxy'])
      for (const verb of ['get', 'create']) expect(gives(reader, `/pods/${sub}`, verb)).toBe(false)
    expect(rules(['pods/exec/action'])).toEqual([
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] },
    ])
    expect(gives(rules(['pods/*']), '/pods/exec', 'get')).toBe(true)
  })

  test('everything is everything, however it is written', () => {
    const everything = [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ]
    for (const pattern of [
      `${prefix}*`,
      '*',
      'microsoft.kubernetes/*',
      `${prefix.toUpperCase()}**`,
    ])
      expect(rulesOf([{ dataActions: [pattern], notDataActions: [] }]).rules).toEqual(everything)
  })

  test('wildcards reach no power: bind, escalate, impersonate and nodes/proxy are named in full', () => {
    for (const pattern of [
      'rbac.authorization.k8s.io/*',
      '*/write',
      '*/read',
      'serviceaccounts/*',
      'nodes/*',
    ]) {
      const verbs = rules([pattern]).flatMap((rule) => rule.verbs)
      expect(verbs).not.toContain('bind')
      expect(verbs).not.toContain('escalate')
      expect(verbs).not.toContain('impersonate')
      expect(JSON.stringify(rules([pattern]))).not.toContain('nodes/proxy')
    }
    expect(rules(['nodes/proxy/action'])[0]?.resources).toEqual(['nodes/proxy'])
    expect(rules(['users/impersonate/action'])).toEqual([
      { apiGroups: [''], resources: ['users'], verbs: ['impersonate'] },
    ])
    expect(problem(['*/escalate/action'])).toContain('must be named in full')
  })

  test('what is taken away is gone, for custom resources too', () => {
    const most = rules(['*'], ['secrets/*'])
    expect(JSON.stringify(most)).not.toMatch(/"secrets"|"\*"|escalate|impersonate/)
    expect(gives(most, '/configmaps', 'delete')).toBe(true)
    expect(
      gives(rules(['example.com/widgets/*'], ['*/delete']), 'example.com/widgets', 'delete'),
    ).toBe(false)
    expect(
      gives(rules(['example.com/widgets/*'], ['*/delete']), 'example.com/widgets', 'list'),
    ).toBe(true)
    expect(rules(['pods/read'], ['*'])).toEqual([])
    expect(rules(['example.com/*', 'pods/delete'], ['example.com/*'])).toHaveLength(1)
  })

  test('custom resources by group and name, or a whole group; case does not matter', () => {
    expect(rules(['Example.com/Widgets/READ'])).toEqual([
      {
        apiGroups: ['example.com'],
        resources: ['widgets/scale', 'widgets/status'],
        verbs: ['get'],
      },
      { apiGroups: ['example.com'], resources: ['widgets'], verbs: ['get', 'list', 'watch'] },
    ])
    expect(rules(['example.com/*'])).toEqual([
      { apiGroups: ['example.com'], resources: ['*'], verbs: ['*'] },
    ])
  })

  test('the order of the data actions makes no difference', () => {
    const actions = ['pods/*', 'secrets/read', 'apps/deployments/write', 'services/read']
    expect(rules(actions)).toEqual(rules(actions.toReversed()))
  })
})

describe('what cannot be a role', () => {
  test.each([
    [['nothing/read'], [], 'matches no data action'],
    [['apps/nothing/read'], [], 'matches no data action'],
    [['pods/frobnicate/action'], [], 'matches no data action'],
    [['example.com/widgets/frobnicate/action'], [], 'its verb is none of'],
    [['example.com/*/read'], [], 'not built in'],
    [['nodot/widgets/read'], [], 'matches no data action'],
    [['*.example.com/widgets/read'], [], 'matches no data action'],
    [['pods/read"}'], [], 'a character'],
    [['pods/read\n'], [], 'a character'],
    [
      ['example.com/*'],
      ['example.com/widgets/delete'],
      'RBAC cannot take a part out of example.com/*',
    ],
    [['example.com/*'], ['*/delete'], 'RBAC cannot take a part out of example.com/*'],
    [['pods/*'], ['pods/nothing'], 'matches no data action'],
    [['a'.repeat(600)], [], 'too long'],
  ])('%j without %j', (data, not, why) => {
    expect(problem(data, not)).toContain(why)
    // Nothing is given rather than too much.
    expect(rulesOf([permission(['secrets/read']), permission(data, not)]).rules).toEqual([])
  })

  test('a data action of another provider', () => {
    const [why] = checkDataActions([
      { dataActions: ['Microsoft.Storage/blobs/read'], notDataActions: [] },
    ])
    expect(why).toContain('is no data action of Microsoft.Kubernetes/connectedClusters')
  })

  test('a pattern of wildcards is matched in linear time', () => {
    const startedAt = performance.now()
    problem(['*a'.repeat(200), '*/'.repeat(200)])
    expect(performance.now() - startedAt).toBeLessThan(200)
  })
})
