/**
 * The relay of the running hub, spoken to as the public protocol says.
 * @module
 */
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { runAs } from '../../src/actors.ts'
import { lab } from '../../src/proxied.ts'
import { sasToken } from '../../src/relay-rules.ts'
import { verifies } from '../../src/verifies.ts'

const hycoProgram = fileURLToPath(new URL('../../src/hyco.ts', import.meta.url))
const channelProgram = fileURLToPath(new URL('../../src/relay-channels.ts', import.meta.url))

async function program(file: string, args: string[]): Promise<unknown> {
  const { developer, hub } = lab()
  const result = await runAs(developer, [process.execPath, file, ...args], {
    env: { NODE_EXTRA_CA_CERTS: hub.caFile },
  })
  expect(result, result.stderr).toMatchObject({ code: 0 })
  return JSON.parse(result.stdout)
}

const origin = () => lab().hub.url.replace('https', 'wss')
const listen = (path: string, lifetimeSeconds?: number) =>
  sasToken(lab().hub, {
    right: 'Listen',
    path,
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
  })
const send = (path: string) => sasToken(lab().hub, { right: 'Send', path })

verifies('relay.hyco', async () => {
  const words = await program(hycoProgram, [origin(), 'hyco', listen('hyco'), send('hyco')])
  expect(words).toEqual(['echo one', 'echo two', 'echo three'])
})

async function upgradeStatus(action: string, path: string, token?: string): Promise<number> {
  const { developer, hub } = lab()
  const query = `sb-hc-action=${action}${token === undefined ? '' : `&sb-hc-token=${encodeURIComponent(token)}`}`
  const headers = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ]
  const result = await runAs(developer, [
    'curl',
    '-s',
    '--http1.1',
    '--max-time',
    '5',
    '--cacert',
    hub.caFile,
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    ...headers.flatMap((header) => ['-H', header]),
    `${hub.url}/$hc/${path}?${query}`,
  ])
  return Number(result.stdout)
}

verifies('relay.sas', async () => {
  expect(await upgradeStatus('listen', 'sas')).toBe(401)
  expect(await upgradeStatus('listen', 'sas', 'SharedAccessSignature sr=x&sig=y&se=1&skn=z')).toBe(
    401,
  )
  expect(await upgradeStatus('listen', 'sas', listen('sas', -120))).toBe(401)
  expect(await upgradeStatus('listen', 'sas', send('sas'))).toBe(403)
  expect(await upgradeStatus('listen', 'sas', listen('other'))).toBe(403)
  expect(await upgradeStatus('connect', 'sas', listen('sas'))).toBe(403)
  expect(await upgradeStatus('connect', 'sas', send('sas'))).toBe(404)
  expect(await upgradeStatus('accept', 'sas')).toBeGreaterThanOrEqual(400)
})

verifies('relay.listeners', async () => {
  expect(await program(channelProgram, ['listeners', origin(), 'many', listen('many')])).toEqual({
    open: 25,
    refused: 409,
  })
})

verifies('relay.rendezvous', async () => {
  const seen = await program(channelProgram, [
    'rendezvous',
    origin(),
    'once',
    listen('once'),
    send('once'),
  ])
  expect(seen).toEqual({ first: 101, second: 403, echoed: 'over the rendezvous' })
})

verifies('relay.renew', async () => {
  const seen = await program(channelProgram, [
    'renew',
    origin(),
    'renew',
    listen('renew', 4),
    listen('renew', 600),
  ])
  expect(seen).toEqual({ renewed: 'open', expired: 1008 })
})
