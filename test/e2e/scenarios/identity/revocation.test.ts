/**
 * What an administrator takes away at the hub is gone in the cluster within seconds, live streams included.
 * @module
 */
import { afterAll, beforeAll, expect } from 'vitest'
import { sallyport, sallyportOk } from '../../src/actors.ts'
import { signInApplication } from '../../src/directory.ts'
import { expectCut } from '../../src/live-streams.ts'
import { signInPerson } from '../../src/people.ts'
import { grant, kubectl, kubectlOk, lab, revoke, startProxy } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'
import { createWorkload, removeWorkload } from '../../src/workload.ts'

const target = { namespace: 'revocation', pod: 'shop' }
const asked = ['get', '--raw', `/api/v1/namespaces/${target.namespace}/pods/${target.pod}`]
const bindings = ['user', 'group', 'secret', 'session'].map((name) => `revocation-${name}`)

beforeAll(() => createWorkload(target.namespace, target.pod))
afterAll(async () => {
  for (const name of bindings) await revoke(name)
  await removeWorkload(target.namespace)
})

const byAdministrator = (...args: string[]): Promise<string> => sallyportOk(lab().operator, args)

/** A command through a session of its own. */
function comeAgain(actor: Parameters<typeof sallyport>[0]) {
  const { clusterName, resourceGroup } = lab()
  return sallyport(actor, ['proxy', clusterName, '-g', resourceGroup, '--', 'true'])
}

verifies('revocation.user', async () => {
  const { actor, objectId } = await signInPerson('ines')
  await grant('revocation-user', 'edit', { kind: 'User', name: objectId })
  const proxy = await startProxy([], { actor })
  await expectCut('user disabled', {
    proxy,
    target,
    revoke: () =>
      byAdministrator('ad', 'user', 'update', '--id', objectId, '--account-enabled', 'false'),
  })
  expect(await proxy.running.ended).toMatchObject({ code: 4 })
  expect((await comeAgain(actor)).code).toBe(4)
})

verifies('revocation.group', async () => {
  const { actor, objectId, appId } = await signInApplication('revoked-member')
  const group = await byAdministrator(
    ...['ad', 'group', 'create', '--display-name', 'revocation', '--mail-nickname', 'revocation'],
    ...['--query', 'id', '-o', 'tsv'],
  )
  const member = ['-g', group.trim(), '--member-id', objectId]
  await byAdministrator('ad', 'group', 'member', 'add', ...member)
  await grant('revocation-group', 'edit', { kind: 'Group', name: group.trim() })
  const proxy = await startProxy([], { actor })
  await expectCut('membership removed', {
    proxy,
    target,
    revoke: () => byAdministrator('ad', 'group', 'member', 'remove', ...member),
  })
  // The person stays, with the rights that are left.
  expect((await kubectl(proxy, asked)).stderr).toContain('Forbidden')
  expect(await kubectlOk(proxy, ['auth', 'whoami'])).toContain(objectId)
  expect(proxy.running.stderr()).toMatch(/the rights in '.*' changed/)
  await proxy.stop()
  await byAdministrator('ad', 'sp', 'delete', '--id', appId)
  await byAdministrator('ad', 'group', 'delete', '-g', group.trim())
})

verifies('revocation.secret', async () => {
  const { actor, objectId, appId } = await signInApplication('revoked-application')
  await grant('revocation-secret', 'edit', { kind: 'User', name: objectId })
  const proxy = await startProxy([], { actor })
  const keyId = await byAdministrator(
    ...['ad', 'sp', 'credential', 'list', '--id', appId, '--query', '[0].keyId', '-o', 'tsv'],
  )
  await expectCut('secret removed', {
    proxy,
    target,
    revoke: () =>
      byAdministrator('ad', 'sp', 'credential', 'delete', '--id', appId, '--key-id', keyId.trim()),
  })
  expect(await proxy.running.ended).toMatchObject({ code: 4 })
  expect((await comeAgain(actor)).code).toBe(4)
  await byAdministrator('ad', 'sp', 'delete', '--id', appId)
})

verifies('revocation.session', async () => {
  const { actor, objectId, appId } = await signInApplication('killed-session')
  await grant('revocation-session', 'edit', { kind: 'User', name: objectId })
  const proxy = await startProxy([], { actor })
  const session = await byAdministrator(
    ...['session', 'list', '--principal', objectId, '--query', '[0].sessionId', '-o', 'tsv'],
  )
  await expectCut('session killed', {
    proxy,
    target,
    revoke: () => byAdministrator('session', 'kill', session.trim()),
  })
  const ended = await proxy.running.ended
  expect(ended).toMatchObject({ code: 5 })
  expect(ended.stderr).toContain('the session was ended at the hub')
  // It was one session, not the application.
  const again = await startProxy([], { actor })
  expect(await kubectl(again, asked)).toMatchObject({ code: 0 })
  await again.stop()
  await byAdministrator('ad', 'sp', 'delete', '--id', appId)
})
