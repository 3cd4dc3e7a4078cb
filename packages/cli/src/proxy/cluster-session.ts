/**
 * The session with one cluster: asks the hub for credentials, pins the agent's key, tells what happens to the link.
 * @module
 */
import {
  CredentialResultsSchema,
  SallyportError,
  formatClusterId,
  isSallyportError,
  type AuthenticationMethod,
  type ClusterId,
  type ListCredentialRequest,
  type SallyportCredential,
} from '@sallyport/protocol'
import {
  ClientSession,
  createLinkIdentity,
  type DialSettings,
  type SessionState,
} from '@sallyport/tunnel'
import { checkKnownKey, rememberKey } from '../credentials/known-clusters.ts'
import type { HubSession } from '../hub/session.ts'

/** What a session is made from. */
export interface ClusterSessionOptions {
  hub: HubSession
  dial: DialSettings
  id: ClusterId
  method: AuthenticationMethod
  configDirectory: string
  onState: (state: SessionState) => void
}

/** A day more than any certificate lives would not matter: the identity ends with the process. */
const identityTtlMs = 365 * 24 * 60 * 60 * 1000

/** Makes the session with an identity of its own; `start` it. */
export async function createClusterSession(options: ClusterSessionOptions): Promise<ClientSession> {
  const { hub, dial, id, configDirectory } = options
  const identity = await createLinkIdentity({
    commonName: 'sallyport client',
    validForMs: identityTtlMs,
  })
  const known = (credential: SallyportCredential) => ({
    configDirectory,
    hubOrigin: hub.profile.origin,
    clusterId: credential.clusterId,
    clusterName: id.name,
  })
  return new ClientSession({
    identity,
    dial,
    credential: async (sessionId, signal) => {
      const ask = { certificateThumbprint: identity.certificateThumbprint, sessionId, signal }
      const credential = await requestCredential(options, ask).catch((error: unknown) => {
        throw sessionId === undefined ? error : passing(error)
      })
      // A key the hub changed is a hard stop before anything is dialled.
      const state = checkKnownKey(known(credential), credential.agentKeySha256)
      if (state === 'new') await rememberKey(known(credential), credential.agentKeySha256, signal)
      return credential
    },
    checkAgentKey: (keySha256, credential) => {
      checkKnownKey(known(credential), keySha256)
    },
    onState: options.onState,
  })
}

/** Once a session stands, a foreign certificate is a captive portal or a hub that restarts: nothing was sent, ask again later. */
function passing(error: unknown): unknown {
  if (!isSallyportError(error) || error.code !== 'ERR_HUB_UNTRUSTED') return error
  const { message, why } = error
  const said = { cause: error, ...(why === undefined ? {} : { why }) }
  return new SallyportError('ERR_HUB_UNREACHABLE', message, said)
}

async function requestCredential(
  options: ClusterSessionOptions,
  ask: { certificateThumbprint: string; sessionId: string | undefined; signal: AbortSignal },
): Promise<SallyportCredential> {
  const { hub, id, method } = options
  const body: ListCredentialRequest = {
    authenticationMethod: method,
    clientProxy: true,
    sallyport: {
      certificateThumbprint: ask.certificateThumbprint,
      ...(ask.sessionId === undefined ? {} : { sessionId: ask.sessionId }),
    },
  }
  const results = await hub.client.json(
    {
      method: 'POST',
      path: `${formatClusterId(id)}/listClusterUserCredential`,
      body,
      signal: ask.signal,
    },
    CredentialResultsSchema,
    'credential of the cluster',
  )
  if (results.sallyport !== undefined) return results.sallyport
  throw new SallyportError('ERR_ARM_ROUTE_NOT_FOUND', 'the hub gives out no cluster tokens')
}
