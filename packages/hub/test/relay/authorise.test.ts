/**
 * Who may listen and send: tokens, rights, paths, and malformed requests.
 * @module
 */
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { signSasToken } from '@sallyport/tunnel'
import { sendHandshake, upgrade, type RawAnswer } from './raw-client.ts'
import { entity, rules, startRelay, type RelayRig } from './relay-rig.ts'

let rig: RelayRig
let now: number

beforeEach(async () => {
  now = Date.now()
  rig = await startRelay({ now: () => now })
})

afterEach(async () => {
  await rig.close()
})

const target = (action: string, more = ''): string => `/$hc/${entity}?sb-hc-action=${action}${more}`

function ask(action: string, token: string | undefined): Promise<RawAnswer> {
  return upgrade({
    port: rig.port,
    target: target(action),
    headers: token === undefined ? {} : { ServiceBusAuthorization: token },
  })
}

describe('who may do what', () => {
  test.each([
    ['no token', 'listen', () => undefined, 401],
    ['something else', 'listen', () => 'Bearer abc', 401],
    ['an unknown rule', 'send', () => signSasToken({ name: 'x', key: 'y' }, 'http://h/', 9e9), 401],
    [
      'a wrong key',
      'listen',
      () => signSasToken({ name: 'listen', key: 'no' }, 'http://h/', 9e9),
      401,
    ],
    ['an expired token', 'listen', () => rig.token('listen', entity, 1000), 401],
    ['a broken escape', 'listen', () => 'SharedAccessSignature sr=%&sig=a&se=1&skn=b', 401],
    ['a token of more than 4 KiB', 'listen', () => rig.token('listen', 'p'.repeat(4096)), 401],
    ['a token for sending', 'listen', () => rig.token('send'), 403],
    ['a token for listening', 'connect', () => rig.token('listen'), 403],
    ['another path', 'listen', () => rig.token('listen', 'other'), 403],
    ['half a segment', 'listen', () => rig.token('listen', entity.slice(0, -1)), 403],
    ['a rule of another path', 'listen', () => rig.token('limited'), 403],
  ])('%s on %s is refused', async (...[, action, token, status]) => {
    const answer = await ask(action === 'send' ? 'connect' : action, token())
    expect(answer.status).toBe(status)
    expect(answer.reason).toMatch(/; TrackingId:[0-9a-f-]{36}$/)
    const event = await rig.event('refused')
    expect(answer.reason).toContain(event.trackingId)
    expect(JSON.stringify(rig.events)).not.toMatch(/sig=|key-of/)
  })

  test('a token of another host is refused, its own host passes in every spelling', async () => {
    const sign = (resource: string): string =>
      signSasToken({ ...rules.listen, name: 'listen' }, resource, Math.floor(now / 1000) + 60)
    expect((await ask('listen', sign(`http://example.com/${entity}`))).status).toBe(403)
    expect((await ask('listen', sign(`http://127.0.0.1:1/${entity}`))).status).toBe(403)
    expect((await ask('listen', sign(entity))).status).toBe(403)
    for (const resource of [
      `http://${rig.host}/${entity}`,
      `https://127.0.0.1/${entity}/`,
      `sb://${rig.host}/${entity.toUpperCase()}`,
      `ws://${rig.host}`,
      `wss://127.0.0.1/microsoft.kubernetes/`,
    ]) {
      const answer = await ask('listen', sign(resource))
      expect([resource, answer.status]).toEqual([resource, 101])
      answer.socket.destroy()
    }
  })

  test('lower-case escapes are signed literally, the token may be in the query, Manage grants both', async () => {
    const sr = encodeURIComponent(`http://127.0.0.1/${entity}/`).replace(
      /%[0-9A-F]{2}/g,
      (escape) => escape.toLowerCase(),
    )
    const se = String(Math.floor(now / 1000) + 60)
    const sig = createHmac('sha256', rules.manage.key).update(`${sr}\n${se}`).digest('base64')
    const token = `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(sig)}&se=${se}&skn=manage`
    const query = `&sb-hc-token=${encodeURIComponent(token)}`
    const listening = await upgrade({ port: rig.port, target: target('listen', query) })
    expect(listening.status).toBe(101)
    sendHandshake({ port: rig.port, target: target('connect', query) })
    await vi.waitFor(() => {
      expect(rig.relay.stats().waiting).toBe(1)
    })
  })

  test.each([
    ['an unknown action', '/$hc/a?sb-hc-action=dance', {}],
    ['no action', '/$hc/a', {}],
    ['an action twice', '/$hc/a?sb-hc-action=listen&sb-hc-action=accept', {}],
    ['an empty segment', '/$hc/a//b?sb-hc-action=listen', {}],
    ['an encoded dot segment', '/$hc/a/%2e%2e/b?sb-hc-action=listen', {}],
    ['an encoded slash', '/$hc/a%2fb?sb-hc-action=listen', {}],
    ['a control character', '/$hc/a%0d?sb-hc-action=listen', {}],
    ['a broken escape', '/$hc/a%zz?sb-hc-action=listen', {}],
    ['no path', '/$hc/?sb-hc-action=listen', {}],
    ['a path of more than 2 KiB', `/$hc/${'a'.repeat(2049)}?sb-hc-action=listen`, {}],
    ['an endless id', `/$hc/a?sb-hc-action=listen&sb-hc-id=${'a'.repeat(257)}`, {}],
    ['another version', '/$hc/a?sb-hc-action=listen', { 'Sec-WebSocket-Version': '1' }],
    ['a wrong key', '/$hc/a?sb-hc-action=listen', { 'Sec-WebSocket-Key': 'abc' }],
  ])('%s is 400', async (_what, path, headers) => {
    expect((await upgrade({ port: rig.port, target: path, headers })).status).toBe(400)
  })

  test('other paths are left to others', () => {
    const request = { url: '/$hcx/a?sb-hc-action=listen' }
    const taken = rig.relay.handleUpgrade(request as never, undefined as never, Buffer.alloc(0))
    expect(taken).toBe(false)
  })
})
