import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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
    await expect(relay.stop()).resolves.toBe(0)
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
