/**
 * People and groups of the hub under test, made by its administrator through Microsoft Graph or the CLI.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createActor, sallyportOk, type Actor } from './actors.ts'
import { lab } from './proxied.ts'
import type { Person } from './sign-in.ts'

/** A user of the hub with a password. */
export interface KnownPerson extends Person {
  objectId: string
}

/** A service principal of the hub with a secret. */
export interface Application {
  appId: string
  objectId: string
  secret: string
}

/** Makes a service principal with a secret. */
export async function createApplication(displayName: string): Promise<Application> {
  const { operator } = lab()
  const made = JSON.parse(
    await sallyportOk(operator, ['ad', 'sp', 'create-for-rbac', '-n', displayName, '-o', 'json']),
  ) as { appId: string; password: string }
  const shown = await sallyportOk(operator, [
    ...['ad', 'sp', 'show', '--id', made.appId, '--query', 'id', '-o', 'tsv'],
  ])
  return { appId: made.appId, objectId: shown.trim(), secret: made.password }
}

/** The role that lets a principal ask the hub for a way into a cluster. */
export const userRole = 'Azure Arc Enabled Kubernetes Cluster User Role'

/** Assigns a role at a scope, the cluster of the lab unless another is named. */
export async function assign(
  role: string,
  objectId: string,
  scope: string = clusterScope(),
): Promise<void> {
  await sallyportOk(lab().operator, [
    ...['role', 'assignment', 'create', '--role', role],
    ...['--assignee-object-id', objectId, '--scope', scope],
  ])
}

/** Takes a role away again. */
export async function unassign(
  role: string,
  objectId: string,
  scope: string = clusterScope(),
): Promise<void> {
  await sallyportOk(lab().operator, [
    ...['role', 'assignment', 'delete', '--role', role, '--yes'],
    ...['--assignee', objectId, '--scope', scope],
  ])
}

/** Lets a principal ask for a way into the cluster of the lab: the role, nothing in the cluster itself. */
export async function allowEntry(objectId: string): Promise<void> {
  await assign(userRole, objectId)
}

/** An application that is signed in at the laptop and may ask for a way in. */
export async function signInApplication(name: string): Promise<Application & { actor: Actor }> {
  const { directory, network, hub } = lab()
  const made = await createApplication(name)
  await allowEntry(made.objectId)
  const actor = createActor(join(directory, name), network.laptop)
  await sallyportOk(
    actor,
    [
      ...['login', '--service-principal', '-u', made.appId],
      ...['--hub', hub.url, '--hub-fingerprint', hub.fingerprint],
    ],
    { env: { SALLYPORT_CLIENT_SECRET: made.secret } },
  )
  return { ...made, actor }
}

/** ARM id of the cluster of the lab. */
export function clusterScope(): `/${string}` {
  const { hub, resourceGroup, clusterName } = lab()
  return `/subscriptions/${hub.subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Kubernetes/connectedClusters/${clusterName}`
}

/** Makes a user; the password goes in by standard input. */
export async function createPerson(userPrincipalName: string): Promise<KnownPerson> {
  const password = randomBytes(18).toString('base64url')
  const [name = ''] = userPrincipalName.split('@')
  const objectId = await sallyportOk(
    lab().operator,
    [
      ...['ad', 'user', 'create', '--user-principal-name', userPrincipalName],
      ...['--display-name', name, '--password', '-', '--query', 'id', '-o', 'tsv'],
    ],
    { input: password },
  )
  return { userPrincipalName, password, objectId: objectId.trim() }
}
