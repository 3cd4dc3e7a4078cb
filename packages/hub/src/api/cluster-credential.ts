/**
 * `listClusterUserCredential`: how to reach a cluster's agent, and the proof to show there.
 * @module
 */
import { stringify } from 'yaml'
import {
  SallyportError,
  authenticationMethods,
  clusterAudience,
  limits,
  type AuthenticationMethod,
  type CredentialResults,
  type ListCredentialRequest,
  type SallyportCredential,
} from '@sallyport/protocol'
import type { Principal } from '../identity/principal.ts'
import type { ClusterRecord } from '../registry/clusters.ts'
import { requireClusterConnect } from '../registry/feature-changes.ts'
import { currentRevision } from '../registry/revocations.ts'
import { issueSession } from '../registry/sessions.ts'
import type { AgentTable } from '../registry/tables.ts'
import type { ApiContext } from './context.ts'

/** One request for a credential. */
export interface CredentialInput {
  record: ClusterRecord
  principal: Principal
  body: ListCredentialRequest
}

/**
 * Makes the answer. A cluster whose agent is away gets one all the same: the relay knows best whether somebody listens.
 * @throws SallyportError ERR_FEATURE_DISABLED, ERR_CLUSTER_OFFLINE when no agent ever enrolled, ERR_ARM_INVALID_REQUEST.
 */
export async function clusterCredential(
  context: ApiContext,
  input: CredentialInput,
): Promise<CredentialResults> {
  const { record, body } = input
  const auth = method(body.authenticationMethod)
  const { agent, cluster } = record
  requireClusterConnect(cluster)
  if (agent === undefined) {
    throw new SallyportError(
      'ERR_CLUSTER_OFFLINE',
      `cluster '${cluster.name}' was never connected: no agent has enrolled yet`,
      { retryAfterSeconds: 5 },
    )
  }
  const results: CredentialResults = {
    ...(body.clientProxy
      ? { hybridConnectionConfig: hybridConnection(context, cluster.hash) }
      : {}),
    kubeconfigs: [{ name: 'Kubeconfig', value: kubeconfig(record) }],
  }
  if (body.sallyport === undefined) return results
  const binding = body.sallyport
  return { ...results, sallyport: await ours(context, { ...input, auth, agent, binding }) }
}

function method(text: string): AuthenticationMethod {
  const known = authenticationMethods.find((name) => name === text)
  if (known !== undefined) return known
  throw new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    `'authenticationMethod' must be one of ${authenticationMethods.join(', ')}`,
    { target: 'authenticationMethod' },
  )
}

interface OursInput extends CredentialInput {
  auth: AuthenticationMethod
  agent: AgentTable
  binding: NonNullable<ListCredentialRequest['sallyport']>
}

/** Our part: a cluster token that works only with the named client certificate (RFC 8705 section 3.1). */
async function ours(context: ApiContext, input: OursInput): Promise<SallyportCredential> {
  const { principal, auth, agent, binding } = input
  const { cluster } = input.record
  const now = context.now()
  const sessionId = await issueSession(context.store, {
    principalId: principal.objectId,
    clusterKey: cluster.cluster_key,
    auth,
    sessionId: binding.sessionId?.toLowerCase(),
    signIn: principal.signIn,
    now,
  })
  const rev = await currentRevision(context.store.db)
  const { token, expiresAt } = await context.clusterTokens.sign({
    aud: clusterAudience(cluster.hash),
    sub: principal.objectId,
    oid: principal.objectId,
    idtyp: principal.kind,
    tid: principal.tenantId,
    sid: sessionId,
    auth,
    ...groupClaims(principal.groups),
    rev,
    cnf: { 'x5t#S256': binding.certificateThumbprint },
  })
  return {
    clusterId: cluster.resource_id,
    sessionId,
    relays: context.relayAccess.forClient(relayPathOf(cluster.hash)),
    agentKeySha256: agent.link_key_sha256,
    clusterToken: token,
    clusterTokenExpiresAt: expiresAt,
    serverTime: Math.floor(now / 1000),
  }
}

/** A token stays small: above a number of groups it names none, and the agent asks for all of them. */
function groupClaims(groups: string[]): { groups: string[]; hasgroups?: true } {
  return groups.length > limits.groupsInToken ? { groups: [], hasgroups: true } : { groups }
}

function relayPathOf(hash: string): string {
  return `microsoft.kubernetes/connectedclusters/${hash}`
}

/** The published shape: one relay; the name ends in a nanosecond time, which a sender may append to the path it has a token for. */
function hybridConnection(
  context: ApiContext,
  hash: string,
): NonNullable<CredentialResults['hybridConnectionConfig']> {
  const path = relayPathOf(hash)
  const [relay] = context.relayAccess.forClient(path)
  if (relay === undefined) throw new TypeError('no relay serves this hub')
  return {
    expirationTime: relay.expiresAt,
    hybridConnectionName: `${path}/${BigInt(context.now()) * 1_000_000n}`,
    relay: new URL(relay.url).host,
    relayTid: context.tenantId,
    relayType: 'byor',
    token: relay.token,
  }
}

/** A kubeconfig whose server is the local end; the client that runs there fills in port, CA and credential. */
function kubeconfig({ cluster }: ClusterRecord): string {
  const group = cluster.group_key
  const user = `clusterUser_${group}_${cluster.name}`
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: cluster.name,
        cluster: { server: `https://127.0.0.1:47011/proxies/${cluster.hash}` },
      },
    ],
    contexts: [{ name: cluster.name, context: { cluster: cluster.name, user } }],
    'current-context': cluster.name,
    users: [{ name: user, user: {} }],
    preferences: {},
  }
  const text = stringify(document, { indentSeq: false, lineWidth: 0 })
  return Buffer.from(text.replaceAll('\n', '\r\n')).toString('base64')
}
