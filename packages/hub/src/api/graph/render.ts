/**
 * Objects of the directory as Graph shows them. Never a hash, never a secret.
 * @module
 */
import type { Kysely } from 'kysely'
import {
  listCertificates,
  type ServicePrincipalCertificate,
} from '../../identity/directory/certificates.ts'
import type { FederatedCredential } from '../../identity/directory/federated-credentials.ts'
import { toGroup, type Group } from '../../identity/directory/groups.ts'
import { listSecrets, type SecretInfo } from '../../identity/directory/secrets.ts'
import {
  toServicePrincipal,
  type ServicePrincipal,
} from '../../identity/directory/service-principals.ts'
import { toUser, type User } from '../../identity/directory/users.ts'
import type { Database } from '../../store/database.ts'

/** An object as it is sent. */
export type GraphObject = Record<string, unknown>

/** A user; `administrator` is ours. */
export function renderUser(user: User): GraphObject {
  return {
    id: user.objectId,
    userPrincipalName: user.userPrincipalName,
    displayName: user.displayName,
    mail: user.mail,
    accountEnabled: user.enabled,
    userType: user.hasPassword ? 'Member' : 'Guest',
    createdDateTime: time(user.createdAt),
    administrator: user.administrator,
  }
}

/** A security group. */
export function renderGroup(group: Group): GraphObject {
  return {
    id: group.objectId,
    displayName: group.displayName,
    description: group.description,
    createdDateTime: time(group.createdAt),
    groupTypes: [],
    mailEnabled: false,
    securityEnabled: true,
  }
}

/** Service principals with what they sign in with; the same objects are the applications. */
export async function renderServicePrincipals(
  db: Kysely<Database>,
  principals: ServicePrincipal[],
): Promise<GraphObject[]> {
  const ids = principals.map((principal) => principal.objectId)
  const secrets = await listSecrets(db, ids)
  const certificates = await listCertificates(db, ids)
  return principals.map((principal) => ({
    id: principal.objectId,
    appId: principal.appId,
    displayName: principal.displayName,
    appDisplayName: principal.displayName,
    accountEnabled: principal.enabled,
    servicePrincipalType: 'Application',
    servicePrincipalNames: [principal.appId],
    identifierUris: [],
    createdDateTime: time(principal.createdAt),
    passwordCredentials: secrets
      .filter((secret) => secret.objectId === principal.objectId)
      .map(renderSecret),
    keyCredentials: certificates
      .filter((each) => each.objectId === principal.objectId)
      .map(renderCertificate),
    administrator: principal.administrator,
  }))
}

/** A secret, without itself. */
export function renderSecret(secret: SecretInfo): GraphObject {
  return {
    keyId: secret.keyId,
    displayName: secret.displayName,
    startDateTime: time(secret.createdAt),
    endDateTime: secret.expiresAt === null ? null : time(secret.expiresAt),
    secretText: null,
  }
}

/** A certificate, by its thumbprint. */
export function renderCertificate(certificate: ServicePrincipalCertificate): GraphObject {
  return {
    keyId: certificate.keyId,
    displayName: certificate.displayName,
    customKeyIdentifier: certificate.thumbprintSha256,
    type: 'AsymmetricX509Cert',
    usage: 'Verify',
    startDateTime: time(certificate.createdAt),
    endDateTime: time(certificate.expiresAt),
    key: null,
  }
}

/** A federated credential. */
export function renderFederated(credential: FederatedCredential): GraphObject {
  return {
    id: credential.credentialId,
    name: credential.name,
    issuer: credential.issuer,
    subject: credential.subject,
    audiences: [credential.audience],
    description: null,
  }
}

/** Objects of any kind by their ids, each with its type, in the order of the ids; unknown ids are left out. */
export async function renderObjects(db: Kysely<Database>, ids: string[]): Promise<GraphObject[]> {
  if (ids.length === 0) return []
  const users = await db.selectFrom('users').selectAll().where('object_id', 'in', ids).execute()
  const groups = await db
    .selectFrom('directory_groups')
    .selectAll()
    .where('object_id', 'in', ids)
    .execute()
  const apps = await db
    .selectFrom('service_principals')
    .selectAll()
    .where('object_id', 'in', ids)
    .execute()
  const typed = (type: string, objects: GraphObject[]): GraphObject[] =>
    objects.map((object) => ({ '@odata.type': `#microsoft.graph.${type}`, ...object }))
  const all = [
    ...typed(
      'user',
      users.map((row) => renderUser(toUser(row))),
    ),
    ...typed(
      'group',
      groups.map((row) => renderGroup(toGroup(row))),
    ),
    ...typed('servicePrincipal', await renderServicePrincipals(db, apps.map(toServicePrincipal))),
  ]
  const byId = new Map(all.map((object) => [String(object['id']), object]))
  return ids.flatMap((id): GraphObject[] => {
    const object = byId.get(id)
    return object === undefined ? [] : [object]
  })
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}
