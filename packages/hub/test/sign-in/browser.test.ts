/**
 * The real pages in a real browser: by keyboard, with a wrong password, in light and dark, narrow and wide.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cliClientId } from '@sallyport/protocol'
import { postForm } from '../hub-fixture.ts'
import { codeClient } from './support/code-client.ts'
import { password, startSignInHub, type SignInHub } from './support/sign-in-hub.ts'

let world: SignInHub
let client: ReturnType<typeof codeClient>
let userData: string
let context: BrowserContext
let page: Page
/** What the browser says the policy of a page refused. */
const refusals: string[] = []
let landing: { redirectUri: string; close: () => void }

beforeAll(async () => {
  world = await startSignInHub()
  client = codeClient(world)
  landing = await startLanding()
  userData = mkdtempSync(join(tmpdir(), 'sallyport-chromium-'))
  context = await chromium.launchPersistentContext(userData, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    ignoreHTTPSErrors: true,
    viewport: { width: 1024, height: 768 },
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
  page = context.pages()[0] ?? (await context.newPage())
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) refusals.push(message.text())
  })
}, 60_000)
afterAll(async () => {
  await context.close()
  rmSync(userData, { recursive: true, force: true })
  landing.close()
  await world[Symbol.asyncDispose]()
})

/** Where the client of the person waits on the loopback. */
async function startLanding() {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>back</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    redirectUri: `http://127.0.0.1:${port}/callback`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const open = (change: Record<string, string> = {}) =>
  page.goto(client.authorizeUrl({ redirect_uri: landing.redirectUri, ...change }))

/** Accessibility of the page as it is, in light and dark, and that it fits 320 px. */
async function expectGoodPage(name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
    await picture(`${name}-${colorScheme}`)
  }
  expect(refusals).toEqual([])
  // The style sheet is there, and not refused by the policy of the page.
  expect(await page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth")).toBe(
    '416px',
  )
  await page.setViewportSize({ width: 320, height: 640 })
  const width = await page.evaluate('document.documentElement.scrollWidth')
  expect(width).toBeLessThanOrEqual(320)
  await picture(`${name}-narrow`)
  await page.setViewportSize({ width: 1024, height: 768 })
  await page.emulateMedia({ colorScheme: 'light' })
}

/** For people to look at, when they say where. */
async function picture(name: string): Promise<void> {
  const folder = process.env['SALLYPORT_PICTURES']
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) })
}

describe('in a browser', () => {
  it('signs in by keyboard, after a wrong password', { timeout: 120_000 }, async () => {
    await open()
    await expectGoodPage('sign-in')
    expect(await page.evaluate('document.activeElement.id')).toBe('username')
    await page.keyboard.type('ada@example.com')
    await page.keyboard.press('Tab')
    await page.keyboard.type('wrong')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('User name or password is not right.').waitFor()
    await expectGoodPage('sign-in-wrong')
    expect(await page.evaluate('document.activeElement.id')).toBe('password')
    await page.keyboard.type(password)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${landing.redirectUri}?**`)
    const code = new URL(page.url()).searchParams.get('code') ?? ''
    const answer = await client.redeem(code, { redirect_uri: landing.redirectUri })
    expect(answer.status).toBe(200)
  })

  it(
    'asks for the password again, confirms a device code, and signs out',
    { timeout: 120_000 },
    async () => {
      await open()
      await page.getByLabel('Password').waitFor()
      const { device_code: deviceCode, user_code: userCode } = (
        await postForm(world.oauth('devicecode'), client.ca, {
          client_id: cliClientId,
          scope: `${world.hub.url}/.default openid profile offline_access`,
        })
      ).json() as { device_code: string; user_code: string }
      await page.goto(`${world.hub.url}/device`)
      await expectGoodPage('device')
      await page.getByLabel('Code').fill('XXXX-XXXX')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').getByText('This code is not valid').waitFor()
      await expectGoodPage('device-wrong')
      await page.getByLabel('Code').fill(userCode.toLowerCase())
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Is this you?' }).waitFor()
      await expectGoodPage('device-confirm')
      await page.getByRole('button', { name: 'Yes, sign in' }).click()
      await page.getByLabel('User name').fill('ada@example.com')
      await page.getByLabel('Password').fill(password)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Signed in' }).waitFor()
      await expectGoodPage('device-done')
      const tokens = await postForm(world.oauth('token'), client.ca, {
        grant_type: 'device_code',
        client_id: cliClientId,
        device_code: deviceCode,
      })
      expect(tokens.status).toBe(200)
      await page.goto(world.oauth('logout'))
      await expectGoodPage('sign-out')
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('heading', { name: 'Signed out' }).waitFor()
      await expectGoodPage('signed-out')
      await open({ client_id: 'unknown' })
      await expectGoodPage('error')
    },
  )
})
