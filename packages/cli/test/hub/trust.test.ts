/**
 * Fingerprints as people copy them, and what the trace of an exchange must not show.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { armError } from '../../src/hub/arm-error.ts'
import { withApiVersion } from '../../src/hub/hub-client.ts'
import { parseHubUrl } from '../../src/hub/session.ts'
import { traceRequest, traceResponse } from '../../src/hub/trace.ts'
import { certificateWith, parseFingerprint } from '../../src/hub/trust.ts'

const hex = 'ab'.repeat(32)
const canonical = `sha256:${'AB:'.repeat(31)}AB`

describe('fingerprint', () => {
  it.each([hex, hex.toUpperCase(), canonical, `SHA256:${hex}`, ` sha-256:${canonical.slice(7)}\n`])(
    '%j is read',
    (text) => {
      expect(parseFingerprint(text)).toBe(canonical)
    },
  )
  it.each(['', 'sha256:', 'ab', `${hex}00`, 'x'.repeat(64)])('%j is refused', (text) => {
    expect(() => parseFingerprint(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
  })
  it('another one: ERR_HUB_UNTRUSTED with both', () => {
    const shown = { pem: '', fingerprint: 'sha256:CD', subject: '' }
    expect(() => certificateWith(canonical, [shown])).toThrow(
      expect.objectContaining({
        code: 'ERR_HUB_UNTRUSTED',
        why: `expected ${canonical}, shown: sha256:CD`,
      }),
    )
  })
})

describe('address of a hub', () => {
  it('is an https origin', () => {
    expect(parseHubUrl('https://hub.example.com')).toBe('https://hub.example.com')
    expect(parseHubUrl('hub.example.com:8443/')).toBe('https://hub.example.com:8443')
    expect(parseHubUrl('https://[::1]:8443')).toBe('https://[::1]:8443')
    for (const text of ['http://h', 'https://h/x', 'https://u:p@h', 'https://h?x', '', ':'])
      expect(() => parseHubUrl(text), text).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
  })
})

describe('--debug', () => {
  it('masks tokens and secrets in headers and bodies', () => {
    const request = traceRequest({
      method: 'POST',
      origin: 'https://h',
      path: '/token',
      headers: { authorization: 'Bearer SECRET', accept: 'x' },
      body: 'grant_type=client_credentials&client_secret=SECRET&scope=s',
    })
    const response = traceResponse(
      {
        status: 200,
        headers: { 'set-cookie': 'SECRET' },
        text: '{"access_token":"SECRET","expires_in":1,"sallyport":{"clusterToken":"SECRET","relays":[{"token":"SECRET"}]},"kubeconfigs":[{"value":"SECRET"}]}',
      },
      1,
    )
    expect(request + response).not.toContain('SECRET')
    expect(request).toContain('> POST https://h/token')
    expect(response).toContain('< 200')
    expect(response).toContain('"expires_in":1')
  })
})

describe('api-version', () => {
  it('is added by provider, never twice, never to our own paths', () => {
    expect(withApiVersion('/subscriptions')).toBe('/subscriptions?api-version=2022-12-01')
    expect(withApiVersion('/s/providers/Microsoft.Kubernetes/x?a=b')).toBe(
      '/s/providers/Microsoft.Kubernetes/x?a=b&api-version=2024-01-01',
    )
    expect(withApiVersion('/x?API-version=1')).toBe('/x?API-version=1')
    expect(withApiVersion('/sallyport/v1/x')).toBe('/sallyport/v1/x')
  })
})

describe('errors of the hub', () => {
  const answer = (status: number, text: string, headers: Record<string, string> = {}) =>
    armError({ status, text, headers, requestId: 'r' })
  it('our code, why and remedy come back', () => {
    const text = JSON.stringify({
      error: {
        code: 'ResourceNotFound',
        message: 'gone',
        additionalInfo: [
          {
            type: 'SallyportError',
            info: { code: 'ERR_STORE_FULL', why: 'w', remedy: 'free space' },
          },
        ],
      },
    })
    expect(answer(507, text)).toMatchObject({
      code: 'ERR_STORE_FULL',
      message: 'gone',
      why: 'w',
      remedy: 'free space',
      requestId: 'r',
    })
  })
  it('of another server: by status', () => {
    expect(answer(404, '{"error":{"code":"X","message":"m"}}').code).toBe('ERR_ARM_NOT_FOUND')
    expect(answer(503, '<html>', { 'retry-after': '7' })).toMatchObject({
      code: 'ERR_HUB_UNREACHABLE',
      retryAfterSeconds: 7,
    })
    expect(answer(418, 'x').code).toBe('ERR_INTERNAL')
  })
})
