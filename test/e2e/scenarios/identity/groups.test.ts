/**
 * No limit of groups: 5,000 on a person and on an application, and a binding to any one of them decides.
 * @module
 */
import { afterAll, beforeAll, expect } from 'vitest'
import { sallyportOk, type Actor } from '../../src/actors.ts'
import { signInApplication } from '../../src/directory.ts'
import { applicationToken, callHub, jsonCall } from '../../src/hub-calls.ts'
import { signInPerson } from '../../src/people.ts'
import { eventually } from '../../src/process.ts'
import { grant, kubectl, kubectlOk, lab, revoke, startProxy } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

const many = 5_000
const few = 5
/** Object ids of the groups with everybody of `crowded` in them. */
let groups: string[]
let person: Actor
let application: Actor
let light: Actor

/** Makes groups with these members; returns their object ids. */
async function createGroups(name: string, count: number, members: string[]): Promise<string[]> {
  const { hub } = lab()
  const token = await applicationToken(hub.clientId, hub.clientSecret)
  const calls = Array.from({ length: count }, (_, index) =>
    jsonCall(token, 'POST /v1.0/groups', {
      displayName: `${name}-${index}`,
      mailNickname: `${name}-${index}`,
      mailEnabled: false,
      securityEnabled: true,
      'members@odata.bind': members.map((id) => `${hub.url}/v1.0/directoryObjects/${id}`),
    }),
  )
  const answers = await callHub(calls, 16)
  return answers.map(({ status, text }) => {
    if (status !== 201) throw new Error(text)
    return (JSON.parse(text) as { id: string }).id
  })
}

beforeAll(async () => {
  const crowdedPerson = await signInPerson('gwen')
  const crowdedApplication = await signInApplication('crowded-application')
  const lightApplication = await signInApplication('light-application')
  person = crowdedPerson.actor
  application = crowdedApplication.actor
  light = lightApplication.actor
  groups = await createGroups('crowd', many, [crowdedPerson.objectId, crowdedApplication.objectId])
  await createGroups('light', few, [lightApplication.objectId])
}, 300_000)
afterAll(() => revoke('one-of-many'))

verifies(
  'identity.groups',
  async () => {
    for (const actor of [person, application]) {
      const proxy = await startProxy([], { actor })
      const list = ['get', 'services', '-n', 'default', '-o', 'name']
      for (const index of [0, 2_499, many - 1]) {
        expect((await kubectl(proxy, list)).stderr).toContain('Forbidden')
        await grant('one-of-many', 'view', { kind: 'Group', name: groups[index] ?? '' })
        await eventually(async () => {
          const { code } = await kubectl(proxy, list)
          return code === 0 ? true : undefined
        }, `the binding to group ${index} takes effect`)
        const whoami = await kubectlOk(proxy, ['auth', 'whoami', '-o', 'json'])
        expect(whoami).toContain(groups[index])
        await revoke('one-of-many')
        await eventually(async () => {
          const { code } = await kubectl(proxy, list)
          return code === 0 ? undefined : true
        }, 'the binding is gone')
      }
      await proxy.stop()
    }
  },
  180_000,
)

/** The first request of a fresh session: proxy prints ready after one, so a bare session is timed by its `--` command. */
async function firstRequestMs(actor: Actor): Promise<number> {
  const { clusterName, resourceGroup } = lab()
  const started = performance.now()
  await sallyportOk(actor, ['proxy', clusterName, '-g', resourceGroup, '--', 'true'])
  return performance.now() - started
}

verifies(
  'identity.groups.time',
  async () => {
    const times = { many: [] as number[], few: [] as number[] }
    // In turns, so that whatever else the machine does meets both.
    for (let round = 0; round < 7; round++) {
      times.few.push(await firstRequestMs(light))
      times.many.push(await firstRequestMs(application))
    }
    const median = (list: number[]): number => list.sort((a, b) => a - b)[3] ?? 0
    const ratio = median(times.many) / median(times.few)
    console.log(
      `first request: ${many} groups ${median(times.many).toFixed(0)} ms, ${few} groups ${median(times.few).toFixed(0)} ms, ratio ${ratio.toFixed(2)}`,
    )
    expect(ratio).toBeLessThanOrEqual(1.5)
  },
  120_000,
)
