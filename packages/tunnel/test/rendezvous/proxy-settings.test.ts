/**
 * HTTPS_PROXY and NO_PROXY.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { isProxyBypassed, proxyFromEnvironment } from '../../src/rendezvous/proxy-settings.ts'

describe('proxyFromEnvironment', () => {
  test.each([
    [{}, undefined],
    [{ HTTPS_PROXY: '' }, undefined],
    [{ HTTPS_PROXY: 'http://p:1' }, { url: 'http://p:1', noProxy: [] }],
    [
      { HTTPS_PROXY: 'http://p:1', https_proxy: 'http://q:2' },
      { url: 'http://q:2', noProxy: [] },
    ],
    [{ ALL_PROXY: 'p:1' }, { url: 'http://p:1', noProxy: [] }],
    [
      { all_proxy: 'p:1', HTTPS_PROXY: 'q:2' },
      { url: 'http://q:2', noProxy: [] },
    ],
    [
      { HTTPS_PROXY: 'p:1', NO_PROXY: 'a, .b c' },
      { url: 'http://p:1', noProxy: ['a', '.b', 'c'] },
    ],
    [{ HTTP_PROXY: 'http://p:1' }, undefined],
  ])('%j', (env, settings) => {
    expect(proxyFromEnvironment(env)).toEqual(settings)
  })

  test.each(['socks5://p:1', 'http://', 'https://user:secret@p', 'http://user:secret@ p'])(
    '%s is refused without showing it',
    (url) => {
      const attempt = (): unknown => proxyFromEnvironment({ HTTPS_PROXY: url })
      expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }))
      expect(attempt).not.toThrow(/secret/)
    },
  )
})

test.each([
  ['*', 'any.example', 1, true],
  ['relay.example', 'relay.example', 443, true],
  ['relay.example', 'RELAY.example', 443, true],
  ['relay.example', 'a.relay.example', 443, true],
  ['relay.example', 'notrelay.example', 443, false],
  ['.relay.example', 'relay.example', 443, false],
  ['.relay.example', 'a.relay.example', 443, true],
  ['*.relay.example', 'a.relay.example', 443, true],
  ['relay.example:8443', 'relay.example', 8443, true],
  ['relay.example:8443', 'relay.example', 443, false],
  ['10.0.0.0/8', '10.1.2.3', 443, true],
  ['10.0.0.0/8', '11.1.2.3', 443, false],
  ['10.0.0.0/8', '10.example', 443, false],
  ['10.0.0.0/99', '10.1.2.3', 443, false],
  ['fd00::/8', 'fd12::1', 443, true],
  ['::1', '::1', 443, true],
  ['[::1]:8443', '::1', 8443, true],
  ['127.0.0.1', '127.0.0.1', 1, true],
  ['0.0.1', '127.0.0.1', 1, false],
  ['.', 'a.example', 1, false],
])('NO_PROXY %s and %s:%i → %s', (...[entry, host, port, bypassed]) => {
  expect(isProxyBypassed([entry], host, port)).toBe(bypassed)
})
