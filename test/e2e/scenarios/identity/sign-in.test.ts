/**
 * A person and an application, by every way of signing in, each arriving in the cluster as its object id.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createAuthority } from '@sallyport/cluster'
import { afterAll, beforeAll, expect } from 'vitest'
import {
  createActor,
  runAs,
  sallyport,
  sallyportOk,
  sallyportStart,
  type Actor,
} from '../../src/actors.ts'
import { auditEvents } from '../../src/audit-log.ts'
import { openBrowser, type Browser } from '../../src/browser.ts'
import {
  allowEntry,
  createApplication,
  createPerson,
  type Application,
  type KnownPerson,
} from '../../src/directory.ts'
import { eventually, type Running } from '../../src/process.ts'
import { directOk, kubectl, kubectlOk, lab, startProxy } from '../../src/proxied.ts'
import { fillSignIn, makeOpener, signIn, type Opener } from '../../src/sign-in.ts'
import { verifies } from '../../src/verifies.ts'
import { publishWorkloadKeys } from '../../src/workload-issuer.ts'

const workloadSdk = fileURLToPath(new URL('../../src/workload-sdk-main.ts', import.meta.url))
let person: KnownPerson
let application: Application
let laptop: Actor
let robot: Actor
let browser: Browser
let opener: Opener
let keys: Running

const at = (): string[] => {
  const { hub } = lab()
  return ['--hub', hub.url, '--hub-fingerprint', hub.fingerprint]
}

beforeAll(async () => {
  const { directory, network, hub } = lab()
  person = await createPerson('frida@example.com')
  application = await createApplication('sign-in-application')
  await allowEntry(person.objectId)
  await allowEntry(application.objectId)
  laptop = createActor(join(directory, 'frida'), network.laptop)
  robot = createActor(join(directory, 'robot'), network.laptop)
  browser = await openBrowser(laptop, hub.caFile)
  opener = makeOpener(laptop)
  keys = await publishWorkloadKeys()
})
afterAll(async () => {
  await keys.stop()
  await browser[Symbol.asyncDispose]()
})

/** Goes through to the cluster and asks it, and its audit log, who came. */
async function arrivesAs(actor: Actor, objectId: string): Promise<void> {
  const proxy = await startProxy([], { actor })
  const who = ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}']
  expect(await kubectlOk(proxy, who)).toBe(objectId)
  const marker = `audit-${actor.home.split('/').at(-1) ?? ''}-${Date.now()}`
  await kubectl(proxy, ['get', 'configmaps', '-n', marker])
  const events = await eventually(() => {
    const found = auditEvents(marker)
    return Promise.resolve(found.length > 0 ? found : undefined)
  }, 'the request in the audit log')
  for (const event of events) expect(event.impersonatedUser?.username).toBe(objectId)
  await proxy.stop()
  await sallyportOk(actor, ['logout'])
  expect((await sallyport(actor, ['list'])).code).toBe(4)
}

verifies('identity.person.browser', async () => {
  const login = sallyportStart(laptop, ['login', ...at(), '--allow-no-subscriptions'], {
    env: opener.env,
  })
  const page = await browser.context.newPage()
  await page.goto(await opener.opened())
  await fillSignIn(page, { ...person, password: 'not the password' })
  await page.getByRole('alert').waitFor()
  await fillSignIn(page, person)
  await page
    .getByText(/signed in/i)
    .first()
    .waitFor()
  await page.close()
  expect(await login.ended).toMatchObject({ code: 0 })
  const shown = await sallyportOk(laptop, ['account', 'show', '-o', 'json'])
  expect(shown).toContain(person.userPrincipalName)
  await arrivesAs(laptop, person.objectId)
})

verifies('identity.person.device-code', async () => {
  const login = sallyportStart(laptop, [
    ...['login', '--use-device-code', ...at(), '--allow-no-subscriptions'],
  ])
  const [, address = ''] = await login.waitFor(/(https:\/\/\S+)/)
  const [, code = ''] = await login.waitFor(/\b([A-Z0-9]{4}-[A-Z0-9]{4})\b/)
  // Another browser than the one that is signed in already: the usual case of a device code.
  await browser.context.clearCookies()
  const page = await browser.context.newPage()
  await page.goto(address)
  await page.getByLabel('Code').fill(code)
  await page.keyboard.press('Enter')
  await page.getByText(code).waitFor()
  await page.getByRole('button', { name: 'Yes, sign in' }).click()
  await fillSignIn(page, person)
  await page.getByRole('heading', { name: 'Signed in' }).waitFor()
  await page.close()
  expect(await login.ended).toMatchObject({ code: 0 })
  await arrivesAs(laptop, person.objectId)
})

verifies('identity.application.secret', async () => {
  await sallyportOk(robot, ['login', '--service-principal', '-u', application.appId, ...at()], {
    env: { SALLYPORT_CLIENT_SECRET: application.secret },
  })
  await arrivesAs(robot, application.objectId)
})

verifies('identity.application.certificate', async () => {
  const authority = await createAuthority(join(lab().directory, 'robot-ca'))
  const pair = await authority.issue({ name: 'robot', commonName: 'robot' })
  const file = join(robot.home, 'robot.pem')
  writeFileSync(
    file,
    `${readFileSync(pair.key, 'utf8')}${readFileSync(pair.certificate, 'utf8')}`,
    {
      mode: 0o600,
    },
  )
  await sallyportOk(lab().operator, [
    ...['ad', 'sp', 'credential', 'reset', '--id', application.appId, '--append'],
    ...['--cert', `@${pair.certificate}`],
  ])
  await sallyportOk(robot, [
    ...['login', '--service-principal', '-u', application.appId, '--certificate', file, ...at()],
  ])
  await arrivesAs(robot, application.objectId)
})

verifies('identity.application.federated', async () => {
  const { operator, workloadIssuer } = lab()
  await directOk(['create', 'serviceaccount', 'workload', '-n', 'default'])
  await sallyportOk(operator, [
    ...['ad', 'sp', 'federated-credential', 'create', '--id', application.appId],
    ...['--name', 'cluster', '--issuer', workloadIssuer],
    ...['--subject', 'system:serviceaccount:default:workload', '--audiences', 'sallyport'],
  ])
  const token = join(robot.home, 'service-account-token')
  const issue = async (account: string, audience: string): Promise<void> => {
    const text = await directOk(['create', 'token', account, `--audience=${audience}`])
    writeFileSync(token, text, { mode: 0o600 })
  }
  const login = ['login', '--service-principal', '-u', application.appId]
  const federated = [...login, '--federated-token-file', token, ...at()]
  for (const [account, audience] of [
    ['default', 'sallyport'],
    ['workload', 'somebody-else'],
  ] as const) {
    await issue(account, audience)
    const refused = await sallyport(robot, federated)
    expect(refused, refused.stderr).toMatchObject({ code: 4 })
    expect(refused.stderr).not.toContain(readFileSync(token, 'utf8').trim().slice(-20))
  }
  await issue('workload', 'sallyport')
  const { hub } = lab()
  const sdk = await runAs(
    robot,
    [process.execPath, workloadSdk, hub.url, hub.tenantId, application.appId, token],
    { env: { NODE_EXTRA_CA_CERTS: hub.caFile } },
  )
  expect(sdk, sdk.stderr).toMatchObject({ code: 0, stdout: application.objectId })
  await sallyportOk(robot, federated)
  await arrivesAs(robot, application.objectId)
  await directOk(['delete', 'serviceaccount', 'workload', '-n', 'default'])
})

verifies('identity.account', async () => {
  const login = sallyportStart(laptop, ['login', ...at(), '--allow-no-subscriptions'], {
    env: opener.env,
  })
  await browser.context.clearCookies()
  const page = await signIn(browser.context, await opener.opened(), person)
  expect(await login.ended).toMatchObject({ code: 0 })
  await page.close()
  const [account] = JSON.parse(await sallyportOk(laptop, ['account', 'list', '-o', 'json'])) as [
    Record<string, unknown>,
  ]
  expect(JSON.stringify(account)).toContain(person.userPrincipalName)
  expect(await sallyportOk(laptop, ['whoami', '-o', 'json'])).toContain(person.objectId)
  const shown = await sallyportOk(laptop, [
    ...['ad', 'signed-in-user', 'show', '--query', 'id', '-o', 'tsv'],
  ])
  expect(shown.trim()).toBe(person.objectId)
})
