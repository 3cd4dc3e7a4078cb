/**
 * What service principals sign in with: secrets (shown once), certificates, federated credentials.
 * @module
 */
import Type from 'typebox'
import { SallyportError } from '@sallyport/protocol'
import {
  insertCertificate,
  readCertificate,
  removeCertificate,
} from '../../identity/directory/certificates.ts'
import { hashSecret, makeClientSecret } from '../../identity/directory/client-secret.ts'
import {
  insertFederatedCredential,
  listFederatedCredentials,
  removeFederatedCredential,
} from '../../identity/directory/federated-credentials.ts'
import { insertSecret, removeSecret } from '../../identity/directory/secrets.ts'
import { requires } from '../access.ts'
import type { Api } from '../api-instance.ts'
import type { ApiContext } from '../context.ts'
import { change, checkMayChange, closed, Guid } from './graph-context.ts'
import { renderCertificate, renderFederated, renderSecret } from './render.ts'
import { itemPaths, principalOfPath, principalSets } from './service-principal-routes.ts'

const optionalText = Type.Optional(Type.Union([Type.String(), Type.Null()]))

const AddPasswordSchema = Type.Object(
  {
    passwordCredential: Type.Optional(
      Type.Object({ displayName: optionalText, endDateTime: optionalText }, closed),
    ),
  },
  closed,
)

const RemoveSchema = Type.Object({ keyId: Guid, proof: Type.Optional(Type.String()) }, closed)

const AddKeySchema = Type.Object(
  {
    keyCredential: Type.Object(
      {
        type: Type.Literal('AsymmetricX509Cert'),
        usage: Type.Literal('Verify'),
        /** Base64 of DER or PEM. */
        key: Type.String({ maxLength: 65_536 }),
        displayName: optionalText,
        endDateTime: optionalText,
      },
      closed,
    ),
    passwordCredential: Type.Optional(Type.Null()),
    /** Graph's proof of an old key; here the action is what allows it. */
    proof: Type.Optional(Type.String()),
  },
  closed,
)

const FederatedSchema = Type.Object(
  {
    name: Type.String(),
    issuer: Type.String(),
    subject: Type.String(),
    audiences: Type.Array(Type.String(), { minItems: 1, maxItems: 1 }),
    description: optionalText,
  },
  closed,
)

/** A secret without a wish ends after two years, as in Graph. */
const secretTtlMs = 2 * 365 * 24 * 60 * 60 * 1000

const read = requires('Sallyport/directory/servicePrincipals/read')
const write = requires('Sallyport/directory/servicePrincipals/credentials/write')

/** Adds the routes. */
export function registerCredentialWrites(api: Api, context: ApiContext): void {
  for (const path of principalSets.flatMap(itemPaths)) {
    registerSecrets(api, context, path)
    registerCertificates(api, context, path)
    registerFederated(api, context, `${path}/federatedIdentityCredentials`)
  }
}

function registerSecrets(api: Api, context: ApiContext, path: string): void {
  const { db } = context.store
  api.post(
    `${path}/addPassword`,
    { config: write, schema: { body: AddPasswordSchema } },
    async (request) => {
      const { objectId } = await principalOfPath(db, request)
      const wish = request.body.passwordCredential ?? {}
      const now = context.now()
      const expiresAt = endOf(wish.endDateTime, now) ?? now + secretTtlMs
      const secretText = makeClientSecret()
      const hash = await hashSecret(secretText)
      const secret = await change(context, async (trx) => {
        await checkMayChange(trx, request, { objectId })
        return insertSecret(trx, objectId, {
          hash,
          now,
          expiresAt,
          displayName: wish.displayName ?? null,
        })
      })
      return { ...renderSecret(secret), secretText }
    },
  )
  api.post(
    `${path}/removePassword`,
    { config: write, schema: { body: RemoveSchema } },
    async (request, reply) => {
      const { objectId } = await principalOfPath(db, request)
      await change(context, async (trx) => {
        await checkMayChange(trx, request, { objectId })
        await removeSecret(trx, objectId, { keyId: request.body.keyId, now: context.now() })
      })
      return reply.code(204).send()
    },
  )
}

function registerCertificates(api: Api, context: ApiContext, path: string): void {
  const { db } = context.store
  api.post(`${path}/addKey`, { config: write, schema: { body: AddKeySchema } }, async (request) => {
    const { objectId } = await principalOfPath(db, request)
    const { key, displayName = null, endDateTime } = request.body.keyCredential
    const now = context.now()
    const read509 = readCertificate(pemOrDer(key), now)
    const expiresAt = endOf(endDateTime, now)
    const certificate = await change(context, async (trx) => {
      await checkMayChange(trx, request, { objectId })
      const end = expiresAt === undefined ? {} : { expiresAt }
      return insertCertificate(trx, objectId, { read: read509, displayName, ...end, now })
    })
    return renderCertificate(certificate)
  })
  api.post(
    `${path}/removeKey`,
    { config: write, schema: { body: RemoveSchema } },
    async (request, reply) => {
      const { objectId } = await principalOfPath(db, request)
      await change(context, async (trx) => {
        await checkMayChange(trx, request, { objectId })
        await removeCertificate(trx, objectId, { keyId: request.body.keyId, now: context.now() })
      })
      return reply.code(204).send()
    },
  )
}

function registerFederated(api: Api, context: ApiContext, path: string): void {
  const { db } = context.store
  api.get(path, { config: read }, async (request) => {
    const { objectId } = await principalOfPath(db, request)
    return { value: (await listFederatedCredentials(db, objectId)).map(renderFederated) }
  })
  api.post(path, { config: write, schema: { body: FederatedSchema } }, async (request, reply) => {
    const { objectId } = await principalOfPath(db, request)
    const { name, issuer, subject, audiences } = request.body
    const [audience = ''] = audiences
    const made = await change(context, async (trx) => {
      await checkMayChange(trx, request, { objectId })
      const now = context.now()
      return insertFederatedCredential(trx, objectId, { name, issuer, subject, audience, now })
    })
    return reply.code(201).send(renderFederated(made))
  })
  api.delete(`${path}/:credentialId`, { config: write }, async (request, reply) => {
    const { objectId } = await principalOfPath(db, request)
    const { credentialId: key } = request.params as { credentialId: string }
    await change(context, async (trx) => {
      await checkMayChange(trx, request, { objectId })
      await removeFederatedCredential(trx, objectId, { key, now: context.now() })
    })
    return reply.code(204).send()
  })
}

/** Graph clients send base64 of either form. */
function pemOrDer(key: string): string {
  const text = Buffer.from(key, 'base64').toString('latin1')
  return text.startsWith('-----BEGIN') ? text : key
}

function endOf(text: string | null | undefined, now: number): number | undefined {
  if (text === undefined || text === null) return undefined
  const isTime = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,16}(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(text)
  const end = isTime ? Date.parse(text) : Number.NaN
  if (end > now) return end
  throw new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    "'endDateTime' must be a time to come, such as 2027-01-31T00:00:00Z",
    { target: 'endDateTime' },
  )
}
