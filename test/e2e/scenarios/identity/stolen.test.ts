/**
 * Stolen material, each piece tried by somebody who has only that: nothing is gained.
 * @module
 */
import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SallyportCredential } from '@sallyport/protocol'
import { beforeAll, expect } from 'vitest'
import { createActor, runAs, sallyport, sallyportStart, type Actor } from '../../src/actors.ts'
import { openBrowser } from '../../src/browser.ts'
import {
  allowEntry,
  clusterScope,
  createApplication,
  createPerson,
  type Application,
  type KnownPerson,
} from '../../src/directory.ts'
import {
  applicationToken,
  callHub,
  jsonCall,
  type HubAnswer,
  type HubCall,
} from '../../src/hub-calls.ts'
import { lab } from '../../src/proxied.ts'
import { makeOpener, signIn } from '../../src/sign-in.ts'
import { verifies } from '../../src/verifies.ts'

const thief = fileURLToPath(new URL('../../src/thief-main.ts', import.meta.url))
let application: Application
let person: KnownPerson
let laptop: Actor

beforeAll(async () => {
  const { directory, network } = lab()
  application = await createApplication('robbed-application')
  person = await createPerson('hana@example.com')
  await allowEntry(application.objectId)
  await allowEntry(person.objectId)
  laptop = createActor(join(directory, 'hana'), network.laptop)
})

verifies('identity.stolen.cluster-token', async () => {
  const { hub, network, directory } = lab()
  const token = await applicationToken(application.appId, application.secret)
  const [answer] = await callHub([
    jsonCall(token, `POST ${clusterScope()}/listClusterUserCredential?api-version=2024-01-01`, {
      authenticationMethod: 'AAD',
      clientProxy: true,
      sallyport: { certificateThumbprint: 'A'.repeat(43) },
    }),
  ])
  const { sallyport: stolen } = JSON.parse(answer?.text ?? '') as { sallyport: SallyportCredential }
  const { stdout, stderr } = await runAs(
    { home: directory, netns: network.laptop },
    [process.execPath, thief],
    { input: JSON.stringify(stolen), env: { HUB_CA_FILE: hub.caFile } },
  )
  expect(stderr).toBe('')
  const gained = JSON.parse(stdout) as { bind: string; stream: string }
  expect(gained.bind).toBe('ERR_BIND_REFUSED')
  expect(gained.stream).toMatch(/^ERR_/)
  // The same token is none at the hub, nor the hub's at the relay.
  const [atHub] = await callHub([
    jsonCall(stolen.clusterToken, `GET ${clusterScope()}?api-version=2024-01-01`),
  ])
  expect(atHub?.status).toBe(401)
})

async function signInAtLaptop(): Promise<void> {
  const { hub } = lab()
  const opener = makeOpener(laptop)
  await using browser = await openBrowser(laptop, hub.caFile)
  const login = sallyportStart(
    laptop,
    [
      ...['login', '--hub', hub.url, '--hub-fingerprint', hub.fingerprint],
      '--allow-no-subscriptions',
    ],
    { env: opener.env },
  )
  await signIn(browser.context, await opener.opened(), person)
  expect(await login.ended).toMatchObject({ code: 0 })
}

function refreshTokenOf(actor: Actor): { token: string; clientId: string } {
  const file = join(actor.home, '.config', 'sallyport', 'credentials.json')
  const { hubs } = JSON.parse(readFileSync(file, 'utf8')) as {
    hubs: Record<string, { refreshToken?: string; clientId: string }>
  }
  const [kept] = Object.values(hubs)
  if (kept?.refreshToken === undefined) throw new Error('no refresh token is kept')
  return { token: kept.refreshToken, clientId: kept.clientId }
}

function refreshCall(token: string, clientId: string): HubCall {
  const { hub } = lab()
  const form = { grant_type: 'refresh_token', refresh_token: token, client_id: clientId }
  const scope = `${hub.url}/.default openid offline_access`
  return {
    method: 'POST',
    path: `/${hub.tenantId}/oauth2/v2.0/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...form, scope }).toString(),
  }
}

const refresh = (token: string, clientId: string): Promise<HubAnswer[]> =>
  callHub([refreshCall(token, clientId)])

verifies('identity.stolen.refresh-token', async () => {
  await signInAtLaptop()
  const { token, clientId } = refreshTokenOf(laptop)
  // The thief is first; what the owner does next shows the theft, and ends both sign-ins.
  const [first] = await refresh(token, clientId)
  expect(first?.status).toBe(200)
  const stolen = JSON.parse(first?.text ?? '') as { access_token: string; refresh_token: string }
  const [second] = await refresh(token, clientId)
  expect(second?.status).toBe(400)
  const [again] = await refresh(stolen.refresh_token, clientId)
  expect(again?.status).toBe(400)
  const [me] = await callHub([jsonCall(stolen.access_token, 'GET /v1.0/me')])
  expect(me?.status).toBe(401)
  const owner = await sallyport(laptop, ['ad', 'signed-in-user', 'show'])
  expect(owner).toMatchObject({ code: 4 })
  expect(owner.stderr).toMatch(/sallyport login/)
})

verifies('identity.stolen.cookie', async () => {
  const { hub } = lab()
  const opener = makeOpener(laptop)
  await using browser = await openBrowser(laptop, hub.caFile)
  const start = () =>
    sallyportStart(
      laptop,
      [
        ...['login', '--hub', hub.url, '--hub-fingerprint', hub.fingerprint],
        '--allow-no-subscriptions',
      ],
      { env: opener.env },
    )
  const login = start()
  await signIn(browser.context, await opener.opened(), person)
  expect(await login.ended).toMatchObject({ code: 0 })
  const cookies = await browser.context.cookies(hub.url)
  // Whoever has the cookies of a finished sign-in is asked for the password like anybody else.
  const second = start()
  const address = await opener.opened()
  await using other = await openBrowser(laptop, hub.caFile)
  await other.context.addCookies(cookies)
  const page = await other.context.newPage()
  await page.goto(address)
  await page.getByLabel(/password/i).waitFor()
  await second.stop('SIGINT')
})

verifies('identity.stolen.database', async () => {
  const { hub, directory } = lab()
  await signInAtLaptop()
  const { token, clientId } = refreshTokenOf(laptop)
  const copy = readdirSync(hub.dataDirectory)
    .filter((name) => name.startsWith('hub.db'))
    .map((name) => {
      const target = join(directory, `copy-${name}`)
      copyFileSync(join(hub.dataDirectory, name), target)
      return readFileSync(target, 'latin1')
    })
    .join('')
  expect(copy).toContain(person.userPrincipalName)
  for (const secret of [token, person.password, application.secret, hub.clientSecret]) {
    expect(copy.includes(secret)).toBe(false)
  }
  expect(copy).not.toContain('PRIVATE KEY')
  expect(copy).not.toMatch(/"d":"[A-Za-z0-9_-]{43}"/)
  // Nothing in it is a token: each long word of the copy, tried as one.
  const words = [...new Set(copy.match(/[A-Za-z0-9_~-]{40,128}/g) ?? [])].slice(-80)
  expect(words.length).toBeGreaterThan(0)
  const answers = await callHub(words.map((word) => refreshCall(word, clientId)))
  expect(answers.filter(({ status }) => status === 200)).toEqual([])
})
