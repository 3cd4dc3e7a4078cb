/**
 * Sign-ins and signing keys over the life of a proxy: renewed unnoticed, or ended with one clear line.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { sallyport, sallyportOk, type Actor } from '../../src/actors.ts'
import { signInApplication } from '../../src/directory.ts'
import { signInPerson } from '../../src/people.ts'
import {
  applyDirect,
  directOk,
  grant,
  kubectlOk,
  kubectlStart,
  lab,
  revoke,
  startProxy,
  type Proxy,
} from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

beforeAll(() => grant('renewal-admin', 'cluster-admin'))
afterAll(() => revoke('renewal-admin'))

interface KeptSignIns {
  hubs: Record<string, { accessToken?: string; refreshToken?: string; expiresAt?: number }>
}

const credentialsOf = (actor: Actor): string =>
  join(actor.home, '.config', 'sallyport', 'credentials.json')

function signInOf(actor: Actor): { accessToken?: string; refreshToken?: string } {
  const { hubs } = JSON.parse(readFileSync(credentialsOf(actor), 'utf8')) as KeptSignIns
  return Object.values(hubs)[0] ?? {}
}

/** The access token is over, as after an hour. */
function expireSignIn(actor: Actor): void {
  const kept = JSON.parse(readFileSync(credentialsOf(actor), 'utf8')) as KeptSignIns
  for (const signIn of Object.values(kept.hubs)) signIn.expiresAt = Date.now() - 1_000
  writeFileSync(credentialsOf(actor), JSON.stringify(kept))
}

verifies('identity.refresh.concurrent', async () => {
  const { actor, objectId } = await signInPerson('jana')
  for (let round = 0; round < 3; round++) {
    const before = signInOf(actor)
    expireSignIn(actor)
    const show = ['ad', 'signed-in-user', 'show', '--query', 'id', '-o', 'tsv']
    const both = await Promise.all([sallyport(actor, show), sallyport(actor, show)])
    for (const { code, stdout, stderr } of both) {
      expect(code, stderr).toBe(0)
      expect(stdout.trim()).toBe(objectId)
    }
    const after = signInOf(actor)
    expect(after.refreshToken).toBeDefined()
    expect(after.refreshToken).not.toBe(before.refreshToken)
    expect(after.accessToken).not.toBe(before.accessToken)
  }
})

/** What a proxy said after it was ready: one error of three parts, and nothing else. */
async function expectOneError(proxy: Proxy, what: RegExp): Promise<void> {
  const { code, stderr } = await proxy.running.ended
  const [, ended = ''] = /is ready at [^\n]*\n([^]*)$/.exec(stderr) ?? []
  expect(code, stderr).toBe(4)
  expect(ended).toMatch(/^error: [^\n]+\n why: {2}[^\n]+\n try: {2}sallyport login [^\n]+\n$/)
  expect(ended).toMatch(what)
}

verifies('revocation.expired-sign-in', async () => {
  const { operator } = lab()
  const application = await signInApplication('expiring-application')
  const ofApplication = await startProxy([], { actor: application.actor })
  const keyIds = await sallyportOk(operator, [
    ...['ad', 'sp', 'credential', 'list', '--id', application.appId],
    ...['--query', '[0].keyId', '-o', 'tsv'],
  ])
  await sallyportOk(operator, [
    ...['ad', 'sp', 'credential', 'delete', '--id', application.appId],
    ...['--key-id', keyIds.trim()],
  ])
  await expectOneError(ofApplication, /no longer accepts the stored credentials/)
  const person = await signInPerson('karl')
  const ofPerson = await startProxy([], { actor: person.actor })
  await sallyportOk(person.actor, ['logout'])
  await expectOneError(ofPerson, /nobody is signed in|the sign-in has ended/)
  await sallyportOk(operator, ['ad', 'sp', 'delete', '--id', application.appId])
})

verifies('revocation.rotation', async () => {
  const { operator, developer } = lab()
  const rotate = async (use: string): Promise<string> => {
    const body = JSON.stringify({ use })
    const answer = await sallyportOk(operator, [
      ...['api', 'POST', '/sallyport/v1/signingKeys/rotate', '--body', body],
    ])
    return (JSON.parse(answer) as { kid: string }).kid
  }
  const proxy = await startProxy()
  const said = proxy.running.stderr()
  const watch = kubectlStart(proxy, ['get', 'namespaces', '-w', '-o', 'name'])
  await watch.waitFor(/namespace\/default/)
  const kids = new Set<string>()
  for (const use of ['cluster-token', 'access-token', 'cluster-token', 'access-token']) {
    kids.add(await rotate(use))
    const session = await startProxy()
    expect(await kubectlOk(session, ['auth', 'whoami'])).toContain(lab().hub.objectId)
    await session.stop()
    expireSignIn(developer)
    await sallyportOk(developer, ['list'])
  }
  expect(kids.size).toBe(4)
  const name = `rotated-${Date.now()}`
  await applyDirect({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  await watch.waitFor(new RegExp(`namespace/${name}`))
  expect(proxy.running.stderr()).toBe(said)
  await watch.stop('SIGINT')
  await proxy.stop()
  await directOk(['delete', 'namespace', name, '--wait=false'])
})
