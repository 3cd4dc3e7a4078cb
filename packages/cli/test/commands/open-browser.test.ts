/**
 * Whether a browser is opened, and which.
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserCommand, browserPlace } from '../../src/commands/open-browser.ts'
import { startProviderHub, type ProviderHub } from '../hub/provider-hub.ts'
import { cli } from '../run-cli.ts'

let hub: ProviderHub

beforeAll(async () => {
  hub = await startProviderHub()
})
afterAll(() => hub.stop())

describe('which way', () => {
  it.each([
    [{ DISPLAY: ':0' }, 'here'],
    [{ WAYLAND_DISPLAY: 'w' }, 'here'],
    [{}, process.platform === 'linux' ? 'nowhere' : 'here'],
    [{ DISPLAY: ':0', SSH_CONNECTION: 'x' }, 'remote'],
    [{ BROWSER: 'b', SSH_TTY: '/dev/pts/1' }, 'remote'],
    [{ BROWSER: 'b' }, 'here'],
  ])('%j: %s', (env, place) => {
    expect(browserPlace(env)).toBe(place)
  })
  it.each([
    ['firefox', ['firefox', 'URL']],
    ['open -a %s --new:other', ['open', '-a', 'URL', '--new']],
    [':w3m', ['w3m', 'URL']],
  ])('BROWSER=%s', (browser, words) => {
    expect(browserCommand({ BROWSER: browser }, 'URL')).toEqual(words)
  })
  it('in CI without a flag: exit 2, the flags named', async () => {
    const { code, stderr } = await cli(['login', '--hub', hub.url, '--ca-file', hub.caFile], {
      env: { CI: 'true', DISPLAY: ':0' },
    })
    expect(code).toBe(2)
    expect(stderr).toContain('--federated-token github')
    expect(stderr).toContain('--use-device-code')
  })
})
