import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import { createRelayAccess } from '../../src/identity/relay-access.ts'
import { loadOrMakeRelayRules, loadRelayRules } from '../../src/identity/relay-keys.ts'
import { temporaryDirectory } from '../hub-fixture.ts'

let directory: ReturnType<typeof temporaryDirectory>
let path: string
beforeEach(() => {
  directory = temporaryDirectory()
  path = join(directory.path, 'keys', 'relay.json')
})
afterEach(() => {
  directory.remove()
})

describe('relay keys', () => {
  it('are made once, private, with one right each, and read back by a relay', () => {
    const made = loadOrMakeRelayRules(path)
    expect(made.map(({ name, rights }) => [name, rights])).toEqual([
      ['listen', ['Listen']],
      ['send', ['Send']],
    ])
    expect(made[0]?.key).not.toBe(made[1]?.key)
    expect(Buffer.from(made[0]?.key ?? '', 'base64')).toHaveLength(32)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(loadOrMakeRelayRules(path)).toEqual(made)
    expect(loadRelayRules(path)).toEqual(made)
  })

  it('are refused when missing, damaged or readable by others', () => {
    expect(() => loadRelayRules(path)).toThrow(/no such file/)
    loadOrMakeRelayRules(path)
    chmodSync(path, 0o644)
    expect(() => loadRelayRules(path)).toThrow(/others can read it/)
    chmodSync(path, 0o600)
    writeFileSync(path, '{"rules":[]}')
    expect(() => loadRelayRules(path)).toThrow(
      expect.objectContaining({ code: 'ERR_STATE_INVALID' }),
    )
  })
})

it('gives each side a token of its own right for each relay and path', () => {
  const access = createRelayAccess({
    rules: loadOrMakeRelayRules(path),
    relays: ['wss://a:1', 'wss://b'],
    sign: (rule, resource, expiresAt) => `${rule.name} ${resource} ${expiresAt}`,
    now: () => 1_000_000,
  })
  const clientExpiry = 1_000 + limits.relayTicketTtlMs / 1000
  expect(access.forClient('p/q')).toEqual([
    {
      url: 'wss://a:1/$hc/p/q',
      token: `send http://a:1/p/q ${clientExpiry}`,
      expiresAt: clientExpiry,
    },
    { url: 'wss://b/$hc/p/q', token: `send http://b/p/q ${clientExpiry}`, expiresAt: clientExpiry },
  ])
  expect(access.forAgent('p/q')[0]?.token).toBe(
    `listen http://a:1/p/q ${1_000 + limits.relayListenTokenTtlMs / 1000}`,
  )
})
