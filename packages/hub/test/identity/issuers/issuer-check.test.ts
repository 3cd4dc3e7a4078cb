/**
 * The check of an issuer: each step finds what it is for, names it, and does not keep the others from being made.
 * @module
 */
import { afterAll, beforeAll, beforeEach, expect, it, test } from 'vitest'
import { limits, type IssuerSettings } from '@sallyport/protocol'
import { playIssuer, type PlayedIssuer } from './support/played-issuer.ts'
import { signInRig, type SignInRig } from './support/sign-in-rig.ts'

let played: PlayedIssuer
let rig: SignInRig

beforeAll(async () => {
  played = await playIssuer()
  rig = await signInRig([played.ca])
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await played[Symbol.asyncDispose]()
})
beforeEach(() => {
  played.discovery = { code_challenge_methods_supported: ['S256'] }
  rig.clock.offset = 0
})

/** Status and cause of each step. */
async function check(more: Partial<IssuerSettings> = {}) {
  const steps = await rig.management.check('main', {
    kind: 'oidc',
    issuer: `${played.origin}/main/v2.0`,
    clientId: 'sallyport',
    scopes: ['openid', 'profile', 'email'],
    ...more,
  })
  return Object.fromEntries(
    steps.map(({ name, status, cause }) => [name, `${status} ${cause ?? ''}`]),
  )
}

it('finds nothing at an issuer that is as it has to be, but that there is no secret', async () => {
  const { 'client-secret': secret, ...rest } = await check()
  expect(secret).toBe('warn there is no client secret')
  expect(new Set(Object.values(rest))).toEqual(new Set(['ok ']))
})

test.each<[string, string, Record<string, unknown>]>([
  ['issuer', 'fail the discovery document names', { issuer: 'https://other.example' }],
  ['endpoints', 'fail token_endpoint is', { token_endpoint: 'https://other.example/token' }],
  ['endpoints', 'fail jwks_uri is', { jwks_uri: 'http://localhost/keys' }],
  ['keys', 'fail ', { jwks_uri: 'https://localhost:1/keys' }],
  ['algorithms', 'fail none of its', { id_token_signing_alg_values_supported: ['HS256', 'none'] }],
  ['algorithms', 'warn ', { id_token_signing_alg_values_supported: undefined }],
  ['code-flow', 'fail it does not offer', { response_types_supported: ['id_token'] }],
  ['pkce', 'fail it supports PKCE, but', { code_challenge_methods_supported: ['plain'] }],
  ['pkce', 'warn ', { code_challenge_methods_supported: undefined }],
  ['scopes', 'warn it does not list the scopes email', { scopes_supported: ['openid', 'profile'] }],
])('%s: %s', async (name, found, discovery) => {
  played.discovery = { ...played.discovery, ...discovery }
  const steps = await check()
  expect(steps[name]).toContain(found)
  expect(Object.keys(steps)).toHaveLength(11)
})

it('scopes: openid has to be there', async () => {
  expect((await check({ scopes: ['profile'] }))['scopes']).toContain("fail the scope 'openid'")
})

it('discovery: what needs the document is skipped without one', async () => {
  const steps = await check({ issuer: 'https://localhost:1' })
  expect(steps['discovery']).toMatch(/^fail /)
  const rest = ['issuer', 'endpoints', 'keys', 'algorithms', 'code-flow', 'pkce', 'scopes', 'clock']
  for (const name of rest) expect(steps[name]).toMatch(/^skip /)
})

it('client-id: Entra’s is a GUID', async () => {
  const entra = { kind: 'entra', issuer: `${played.origin}/${played.tenantId}/v2.0` } as const
  const at = { ...entra, authority: played.origin, graph: played.origin }
  expect((await check(at))['client-id']).toMatch(/^fail /)
  expect((await check({ ...at, clientId: played.tenantId }))['client-id']).toBe('ok ')
})

it('clock: says which one is how far off', async () => {
  rig.clock.offset = limits.outsideTokenSkewMs + 60_000
  expect((await check())['clock']).toMatch(/^fail its clock is \d+ s behind that of the hub/)
})

it('repeats nothing of the issuer that could fool a reader', async () => {
  played.discovery = { ...played.discovery, issuer: 'https://other.example/\u202egnp\u001b[2J' }
  expect((await check())['issuer']).toMatch(/^[\x20-\x7e]*$/)
})
