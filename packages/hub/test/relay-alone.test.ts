import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { RelayAccess } from '@sallyport/protocol'
import { signSasToken } from '@sallyport/tunnel'
import { createRelayAccess } from '../src/identity/relay-access.ts'
import { loadRelayRules } from '../src/identity/relay-keys.ts'
import { call, hubHome, runToEnd, startProgram, type HubHome } from './hub-fixture.ts'

let home: HubHome

describe('a relay alone', () => {
  beforeEach(() => {
    home = hubHome()
  })
  afterEach(() => {
    home.remove()
  })

  it('runs with the key file of a hub, with health and metrics and no API', async () => {
    const hub = await startProgram('hub', home.flags())
    const relayData = `${home.data}-relay`
    const relay = await startProgram('relay', [
      '--data-directory',
      relayData,
      '--listen',
      '127.0.0.1:0',
      '--relay-key-file',
      join(home.data, 'keys', 'relay.json'),
    ])
    const ca = readFileSync(join(relayData, 'ca.crt'), 'utf8')
    expect((await call(`${relay.url}/readyz`, { ca })).status).toBe(200)
    expect((await call(`${relay.url}/metrics`, { ca })).text).toContain(
      'sallyport_relay_listeners 0',
    )
    expect((await call(`${relay.url}/subscriptions?api-version=2022-12-01`, { ca })).status).toBe(
      404,
    )
    const wss = relay.url.replace(/^https/, 'wss')
    const issuer = createRelayAccess({
      rules: loadRelayRules(join(home.data, 'keys', 'relay.json')),
      relays: [wss],
      sign: signSasToken,
      now: Date.now,
    })
    const [forAgent] = issuer.forAgent('microsoft.kubernetes/connectedclusters/0')
    const [forClient] = issuer.forClient('microsoft.kubernetes/connectedclusters/0')
    const listen = async (access: RelayAccess | undefined, url = access?.url): Promise<string> => {
      const socket = new WebSocket(`${url ?? ''}?sb-hc-action=listen`, {
        ca,
        headers: { servicebusauthorization: access?.token ?? '' },
      })
      try {
        await once(socket, 'open')
        return 'open'
      } catch (error) {
        return String(error)
      } finally {
        socket.terminate()
      }
    }
    await expect(listen(forAgent)).resolves.toBe('open')
    await expect(listen(forClient)).resolves.toContain('403')
    await expect(listen(forAgent, `${wss}/$hc/elsewhere`)).resolves.toContain('403')
    await expect(relay.stop()).resolves.toBe(0)
    expect(relay.stderr.text()).toContain('relay.listener-open')
    expect(relay.stderr.text()).not.toContain('SharedAccessSignature')
    await hub.stop()
  })

  it('needs the key file', async () => {
    const ended = await runToEnd('relay', [
      '--data-directory',
      home.data,
      '--listen',
      '127.0.0.1:0',
    ])
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain('--relay-key-file is required')
  })
})
