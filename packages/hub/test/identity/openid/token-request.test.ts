import { describe, expect, it } from 'vitest'
import { readTokenRequest } from '../../../src/identity/openid/token-request.ts'

const hub = 'https://hub.example:8443'
const base = { grant_type: 'client_credentials', client_id: 'id', client_secret: 's' }

function read(form: Record<string, string> | string, authorization?: string) {
  return readTokenRequest(new URLSearchParams(form), authorization, hub)
}

describe('token request', () => {
  it.each([
    `${hub}/.default`,
    `${hub}//.default`,
    `${hub}/.default openid profile offline_access`,
    'https://management.azure.com/.default',
    'https://management.core.windows.net//.default',
  ])('accepts scope %s', (scope) => {
    const request = read({ ...base, scope })
    expect(request).toMatchObject({ clientId: 'id', scope: scope.split(' ')[0] })
  })

  it('passes on nothing but what the provider needs', () => {
    const request = read({
      ...base,
      scope: `${hub}/.default`,
      client_info: '1',
      claims: '{"access_token":{"xms_cc":{"values":["cp1"]}}}',
      'x-client-SKU': 'msal.js.node',
      resource: `${hub}/`,
    })
    if ('error' in request) throw new Error(request.error)
    expect(Object.fromEntries(request.form)).toEqual({ ...base, resource: hub })
  })

  it('answers the default scope when none is asked for', () => {
    expect(read(base)).toMatchObject({ scope: `${hub}/.default` })
  })

  it('reads Basic credentials, form-encoded (RFC 6749 section 2.3.1)', () => {
    const header = `Basic ${Buffer.from('i%20d:s%3A%2B').toString('base64')}`
    const request = read({ grant_type: 'client_credentials' }, header)
    expect(request).toMatchObject({ clientId: 'i d', authorization: header })
  })

  it.each<[string, Record<string, string> | string, string]>([
    ['another resource', { ...base, scope: 'https://graph/.default' }, 'invalid_scope'],
    ['a prefix of ours', { ...base, scope: `${hub}.evil/.default` }, 'invalid_scope'],
    ['a scope of ours', { ...base, scope: `${hub}/user_impersonation` }, 'invalid_scope'],
    ['another resource parameter', { ...base, resource: 'https://x' }, 'invalid_scope'],
    ['another grant', { ...base, grant_type: 'password' }, 'unsupported_grant_type'],
    ['no grant', { client_id: 'id' }, 'invalid_request'],
    ['no secret', { grant_type: 'client_credentials', client_id: 'id' }, 'invalid_client'],
    ['an empty secret', { ...base, client_secret: '' }, 'invalid_client'],
    ['a huge secret', { ...base, client_secret: 'x'.repeat(600) }, 'invalid_client'],
    ['two client ids', `${new URLSearchParams(base).toString()}&client_id=b`, 'invalid_request'],
  ])('refuses %s', (_what, form, error) => {
    const status = error === 'invalid_client' ? 401 : 400
    expect(read(form)).toMatchObject({ error, status })
  })

  it.each(['Bearer abc', 'Basic !!!', 'Basic aWQ=', `Basic ${btoa('%zz:x')}`])(
    'refuses the header %s as it refuses a wrong secret',
    (header) => {
      expect(read({ grant_type: 'client_credentials' }, header)).toMatchObject({
        error: 'invalid_client',
        status: 401,
      })
    },
  )
})
