/**
 * People of outside issuers, each through the real sign-in page in the real browser: who they are in the cluster, and what their
 * groups decide there.
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import {
  createActor,
  sallyport,
  sallyportOk,
  sallyportStart,
  type Actor,
} from '../../src/actors.ts'
import { openBrowser, type Browser } from '../../src/browser.ts'
import { startDex } from '../../src/dex.ts'
import { allowEntry } from '../../src/directory.ts'
import { startOutside, type ProviderPerson } from '../../src/outside-issuers.ts'
import { computedObjectId, dexSubject } from '../../src/outside-object-id.ts'
import type { Running } from '../../src/process.ts'
import { grant, kubectl, kubectlOk, lab, revoke, startProxy } from '../../src/proxied.ts'
import { makeOpener, type Opener } from '../../src/sign-in.ts'
import { verifies } from '../../src/verifies.ts'

const client = { id: 'sallyport', secret: randomBytes(24).toString('base64url') }
const password = randomBytes(12).toString('base64url')
const issuers: Running[] = []
let laptop: Actor
let browser: Browser
let opener: Opener

beforeAll(async () => {
  const { directory, network, hub, outside } = lab()
  laptop = createActor(join(directory, 'outside-person'), network.laptop)
  browser = await openBrowser(laptop, hub.caFile, outside.certificate)
  opener = makeOpener(laptop)
  writeFileSync(secretFile(), client.secret, { mode: 0o600 })
})
afterAll(async () => {
  await browser[Symbol.asyncDispose]()
  for (const alias of ['dex', 'keycloak', 'entra']) {
    await sallyport(lab().operator, ['issuer', 'delete', alias, '--yes'])
  }
  for (const running of issuers) await running.stop()
  for (const name of bindings) await revoke(name)
})

const bindings = ['outside-platform', 'outside-entra']
const secretFile = () => join(lab().operator.home, 'issuer-secret')
const redirectUri = () => `${lab().hub.url}/signin/outside/callback`
const address = (port: number) => `${lab().network.hubAddress}:${port}`

/** Adds an issuer, which the hub checks; then checks it again by hand. */
async function addIssuer(alias: string, issuer: string, more: string[] = []): Promise<void> {
  await sallyportOk(lab().operator, [
    ...['issuer', 'create', alias, '--issuer-url', issuer, '--client-secret-file', secretFile()],
    ...(more.includes('--client-id') ? more : [...more, '--client-id', client.id]),
  ])
  const checked = await sallyportOk(lab().operator, ['issuer', 'check', alias, '-o', 'json'])
  const steps = JSON.parse(checked) as { name: string; status: string }[]
  expect(steps.filter(({ status }) => status === 'fail' || status === 'skip')).toEqual([])
}

/** From `sallyport login` to the form of the issuer, which `fill` fills in and sends. */
async function goThrough(alias: string, fill: (page: Page) => Promise<void>) {
  const { hub } = lab()
  const login = sallyportStart(
    laptop,
    [
      ...['login', '--hub', hub.url, '--hub-fingerprint', hub.fingerprint],
      '--allow-no-subscriptions',
    ],
    { env: opener.env },
  )
  await browser.context.clearCookies()
  const page = await browser.context.newPage()
  await page.goto(await opener.opened())
  await page.getByRole('link', { name: `Sign in with ${alias}` }).click()
  await fill(page)
  return { login, page }
}

/** Signs in; returns the object id the hub says the person has. */
async function signInThrough(alias: string, fill: (page: Page) => Promise<void>): Promise<string> {
  const { login, page } = await goThrough(alias, fill)
  await page
    .getByText(/signed in/i)
    .first()
    .waitFor()
  expect(await login.ended).toMatchObject({ code: 0 })
  await page.close()
  const me = ['ad', 'signed-in-user', 'show', '--query', 'id', '-o', 'tsv']
  return (await sallyportOk(laptop, me)).trim()
}

/** Roles came after the sign-in, so the CLI knows of no subscription yet. */
const openProxy = () => startProxy(['--subscription', lab().hub.subscriptionId], { actor: laptop })

/** Name and groups of the person as the API server sees them. */
async function whoArrives(): Promise<{ username: string; groups: string[] }> {
  const proxy = await openProxy()
  const text = await kubectlOk(proxy, ['auth', 'whoami', '-o', 'json'])
  await proxy.stop()
  const { status } = JSON.parse(text) as {
    status: { userInfo: { username: string; groups: string[] } }
  }
  return status.userInfo
}

async function mayList(): Promise<boolean> {
  const proxy = await openProxy()
  const { code } = await kubectl(proxy, ['get', 'configmaps', '-n', 'default'])
  await proxy.stop()
  return code === 0
}

verifies(
  'identity.outside.dex',
  async () => {
    const { directory, network, outside } = lab()
    const id = randomUUID()
    const email = 'dora@dex.example'
    const dex = await startDex({
      at: createActor(join(directory, 'dex'), network.hub),
      listen: address(8445),
      ...outside,
      client: { ...client, redirectUri: redirectUri() },
      people: [{ email, password, name: 'dora', id }],
    })
    issuers.push(dex.running)
    await addIssuer('dex', dex.issuer)
    const fill = async (page: Page) => {
      await page.getByRole('link', { name: /log in with email/i }).click()
      await page.locator('#login').fill(email)
      await page.locator('#password').fill(password)
      await page.locator('#submit-login').click()
    }
    const objectId = computedObjectId(dex.issuer, dexSubject(id, 'local'))
    expect(await signInThrough('dex', fill)).toBe(objectId)
    await allowEntry(objectId)
    expect((await whoArrives()).username).toBe(objectId)
    await sallyportOk(laptop, ['logout'])
    expect(await signInThrough('dex', fill)).toBe(objectId)
    expect((await whoArrives()).username).toBe(objectId)
    await sallyportOk(lab().operator, [
      ...['ad', 'user', 'update', '--id', objectId, '--account-enabled', 'false'],
    ])
    expect((await sallyport(laptop, ['list'])).code).toBe(4)
    const { login, page } = await goThrough('dex', fill)
    await page.getByText(/your account at this hub is disabled/i).waitFor()
    await page.close()
    await login.stop('SIGINT')
    expect((await sallyport(laptop, ['list'])).code).toBe(4)
  },
  240_000,
)

verifies(
  'identity.outside.oidc',
  async () => {
    const { directory, outside } = lab()
    const issuer = `https://${address(8446)}`
    const people = join(directory, 'outside-people.json')
    const put = (groups: string[]) => {
      const karl: ProviderPerson = { name: 'Karl', mail: 'karl@sso.example', groups }
      writeFileSync(people, JSON.stringify({ karl }))
    }
    put(['/platform', '/platform/on call'])
    const config = { issuer, ...outside, client: { ...client, redirectUri: redirectUri() }, people }
    issuers.push(await startOutside({ kind: 'provider', of: config }))
    await addIssuer('keycloak', issuer)
    await grant('outside-platform', 'view', { kind: 'Group', name: 'keycloak:/platform' })
    const fill = async (page: Page) => {
      await page.locator('input[name=login]').fill('karl')
      await page.locator('input[name=password]').fill('any: the form asks for none in particular')
      await page.getByRole('button', { name: /sign-in/i }).click()
    }
    const objectId = await signInThrough('keycloak', fill)
    expect(objectId).toBe(computedObjectId(issuer, 'karl'))
    await allowEntry(objectId)
    const { username, groups } = await whoArrives()
    expect(username).toBe(objectId)
    expect(groups).toEqual(
      expect.arrayContaining(['keycloak:/platform', 'keycloak:/platform/on call']),
    )
    expect(groups).not.toContain('/platform')
    expect(await mayList()).toBe(true)
    put(['/platform/on call'])
    expect(await signInThrough('keycloak', fill)).toBe(objectId)
    expect((await whoArrives()).groups).not.toContain('keycloak:/platform')
    expect(await mayList()).toBe(false)
  },
  240_000,
)

verifies(
  'identity.outside.entra',
  async () => {
    const { outside } = lab()
    const origin = `https://${address(8447)}`
    const tenantId = randomUUID()
    const id = randomUUID()
    const groups = Array.from({ length: 300 }, () => randomUUID())
    const person = { objectId: randomUUID(), userPrincipalName: 'enno@corp.example', name: 'Enno' }
    const running = await startOutside({
      kind: 'entra',
      of: {
        ...{ origin, tenantId, groups, ...outside },
        client: { ...client, id, redirectUri: redirectUri() },
        person: { ...person, password },
      },
    })
    issuers.push(running)
    await addIssuer('entra', `${origin}/${tenantId}/v2.0`, [
      ...['--kind', 'entra', '--authority', origin, '--graph', origin, '--client-id', id],
    ])
    const fill = async (page: Page) => {
      await page.getByLabel('Email').fill(person.userPrincipalName)
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Sign in' }).click()
    }
    expect(await signInThrough('entra', fill)).toBe(person.objectId)
    await allowEntry(person.objectId)
    expect((await whoArrives()).username).toBe(person.objectId)
    expect(await mayList()).toBe(false)
    await grant('outside-entra', 'view', { kind: 'Group', name: groups.at(-1) ?? '' })
    expect(await mayList()).toBe(true)
  },
  240_000,
)
