/**
 * An outside issuer made of `oidc-provider` and its own sign-in form. Argument: the file with its `ProviderConfig`.
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import Provider from 'oidc-provider'
import type { ProviderConfig, ProviderPerson } from './outside-issuers.ts'

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ProviderConfig
const { client } = config
const people = () =>
  JSON.parse(readFileSync(config.people, 'utf8')) as Record<string, ProviderPerson>
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

const provider = new Provider(config.issuer, {
  clients: [
    {
      client_id: client.id,
      client_secret: client.secret,
      redirect_uris: [client.redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'first', use: 'sig' }] },
  cookies: { keys: ['of this run only'] },
  scopes: ['openid', 'profile', 'email', 'groups'],
  claims: {
    openid: ['sub'],
    profile: ['name', 'preferred_username'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
  },
  // As Keycloak does: the claims are in the ID token, not only at the userinfo endpoint.
  conformIdTokenClaims: false,
  findAccount: (_context, accountId) => {
    const person = people()[accountId]
    if (person === undefined) return undefined
    const claims = {
      sub: accountId,
      name: person.name,
      preferred_username: accountId,
      email: person.mail,
      email_verified: true,
      groups: person.groups,
    }
    return { accountId, claims: () => claims }
  },
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({
      clientId: oidc.client?.clientId ?? '',
      accountId: oidc.session?.accountId ?? '',
    })
    grant.addOIDCScope('openid profile email groups')
    await grant.save()
    return grant
  },
})
const answer = provider.callback()
const { hostname, port } = new URL(config.issuer)
createServer(
  { cert: readFileSync(config.certificate), key: readFileSync(config.key) },
  (request, response) => {
    void answer(request, response)
  },
).listen(Number(port), hostname, () => {
  process.stdout.write('listening\n')
})
