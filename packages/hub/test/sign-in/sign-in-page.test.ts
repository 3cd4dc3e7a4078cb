import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import { call, rawConnection } from '../hub-fixture.ts'
import { codeClient, redirectUri } from './support/code-client.ts'
import { password, startSignInHub, type SignInHub } from './support/sign-in-hub.ts'

let world: SignInHub
let client: ReturnType<typeof codeClient>
beforeAll(async () => {
  world = await startSignInHub()
  client = codeClient(world)
})
afterAll(() => world[Symbol.asyncDispose]())

describe('the sign-in page', () => {
  it('says the same for a wrong password and an unknown person, and escapes what it repeats', async () => {
    const browser = client.browse()
    await browser.open(client.authorizeUrl())
    const wrong = (await browser.submit({ username: 'ada@example.com', password: 'x' })).answer
    const unknown = (await browser.submit({ username: 'bob@example.com', password: 'x' })).answer
    expect(wrong.status).toBe(401)
    expect(unknown.status).toBe(401)
    expect(unknown.text.replaceAll('bob@', 'ada@')).toBe(wrong.text)
    const { answer } = await browser.submit({ username: '"><script>x</script>', password: 'x' })
    expect(answer.text).toContain('value="&quot;&gt;&lt;script&gt;x')
    const good = await browser.submit({ username: 'ada@example.com', password })
    expect(good.url).toContain('code=')
  })

  it('has the headers that keep it from being framed, scripted, stored', async () => {
    const { answer } = await client.browse().open(client.authorizeUrl())
    const policy = String(answer.headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(policy).not.toContain('script-src')
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
    })
    expect(answer.text).not.toContain('<script')
    expect(answer.text).not.toContain('style="')
  })

  it('takes no form from another site, without a browser, or of another sign-in', async () => {
    const browser = client.browse()
    await browser.open(client.authorizeUrl())
    const page = browser.at
    const fields = { username: 'ada@example.com', password }
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }]) {
      browser.at = page
      expect((await browser.submit(fields, headers)).answer.status).toBe(403)
    }
    const stranger = client.browse()
    await stranger.open(client.authorizeUrl())
    stranger.at = page
    expect((await stranger.submit(fields)).answer.status).toBe(400)
    const nobody = client.browse()
    nobody.at = page
    expect((await nobody.submit(fields)).answer.status).toBe(400)
  })

  it('binds cookies to HTTPS, hides them from scripts, and accepts none that was changed', async () => {
    const browser = client.browse()
    const first = await call(client.authorizeUrl(), { ca: client.ca })
    for (const cookie of first.headers['set-cookie'] ?? []) {
      expect(cookie).toMatch(/^__(Secure|Host)-sallyport\./)
      expect(cookie.toLowerCase()).toMatch(/; secure/)
      expect(cookie.toLowerCase()).toMatch(/; httponly/)
      expect(cookie.toLowerCase()).toMatch(/; samesite=lax/)
    }
    await client.signedInCode(browser)
    const session = browser.cookies.get('__Host-sallyport.session')
    expect(session?.value).toBeTruthy()
    browser.cookies.set('__Host-sallyport.session.sig', { value: 'A'.repeat(27), path: '/' })
    const { answer } = await browser.open(client.authorizeUrl())
    expect(answer.text).toContain('id="password"')
  })

  it('names its own address whatever Host says', async () => {
    const { pathname, search } = new URL(client.authorizeUrl())
    const { socket, closed } = await rawConnection(world.hub.url, client.ca)
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: evil.example\r\nx-forwarded-proto: http\r\nconnection: close\r\n\r\n`,
    )
    const answer = await closed
    expect(answer).toMatch(/\r\nlocation: \/signin\/[\w-]+\r\n/i)
    expect(answer).not.toContain('evil')
    const browser = client.browse()
    browser.extra = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }
    await browser.open(client.authorizeUrl())
    expect(browser.at.url.startsWith(world.hub.url)).toBe(true)
    const { url } = await browser.submit({ username: 'ada@example.com', password })
    expect(url.startsWith(redirectUri)).toBe(true)
  })

  it('limits how often passwords are tried, for everybody alike', async () => {
    const browser = client.browse()
    for (const username of ['eve@example.com', 'nobody@example.com']) {
      await browser.open(client.authorizeUrl())
      for (let tried = 0; tried < limits.signInsPerMinutePerAccountAndAddress; tried += 1) {
        expect((await browser.submit({ username, password: 'x' })).answer.status).toBe(401)
      }
      const { answer } = await browser.submit({ username, password })
      expect(answer.status).toBe(429)
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      expect(answer.text).toContain('Too many attempts')
    }
  })
})
