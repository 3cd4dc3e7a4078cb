/**
 * "Offline" said with a time: when the agent last answered.
 * @module
 */
import {
  SallyportError,
  isSallyportError,
  type ClusterId,
  type ConnectedCluster,
} from '@sallyport/protocol'
import { getCluster, type Scope } from '../hub/clusters.ts'
import { duration, utc } from '../output/time.ts'

/** The error for a cluster whose agent does not answer. */
export function offlineError(
  cluster: ConnectedCluster,
  now: number,
  cause?: SallyportError,
): SallyportError {
  const { name, properties } = cluster
  const last = Date.parse(properties.lastConnectivityTime ?? '')
  const why = cause?.why ?? cause?.message
  const said = {
    ...(cause === undefined ? {} : { cause }),
    ...(why === undefined ? {} : { why }),
    ...(cause?.requestId === undefined ? {} : { requestId: cause.requestId }),
    remedy: 'start the agent of the cluster and look at its log: sallyport agent list',
  }
  if (Number.isNaN(last)) {
    return new SallyportError(
      'ERR_CLUSTER_OFFLINE',
      `cluster '${name}' is offline: no agent was ever connected`,
      said,
    )
  }
  const since = `its agent last answered ${duration(now - last)} ago (${utc(last)})`
  return new SallyportError('ERR_CLUSTER_OFFLINE', `cluster '${name}' is offline: ${since}`, said)
}

/** What the hub knows of the cluster; undefined when this principal may use but not read it. @throws SallyportError ERR_CLUSTER_OFFLINE. */
export async function refuseOffline(
  scope: Scope,
  id: ClusterId,
): Promise<ConnectedCluster | undefined> {
  let cluster: ConnectedCluster
  try {
    cluster = await getCluster(scope, id)
  } catch (error) {
    if (isSallyportError(error) && error.code === 'ERR_FORBIDDEN') return undefined
    throw named(error, id)
  }
  const { connectivityStatus, lastConnectivityTime } = cluster.properties
  const neverCame = connectivityStatus !== 'Connected' && lastConnectivityTime === undefined
  if (connectivityStatus === 'Offline' || neverCame) throw offlineError(cluster, Date.now())
  return cluster
}

/** ARM's words for "not found" with ours in front. */
function named(error: unknown, id: ClusterId): unknown {
  if (!isSallyportError(error) || error.code !== 'ERR_ARM_NOT_FOUND') return error
  return new SallyportError(
    'ERR_ARM_NOT_FOUND',
    `there is no cluster '${id.name}' in resource group '${id.resourceGroup}'`,
    {
      cause: error,
      why: error.message,
      remedy: 'list what there is: sallyport list',
      ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
    },
  )
}

/** Codes that mean: nobody of this cluster is at the relay. */
const offlineCodes = new Set([
  'ERR_CLUSTER_OFFLINE',
  'ERR_RELAY_NO_LISTENER',
  'ERR_RELAY_RENDEZVOUS_EXPIRED',
])

/** The error of a session that did not start, as the user should read it. */
export async function explainStart(
  scope: Scope,
  error: unknown,
  cluster: ConnectedCluster | undefined,
): Promise<unknown> {
  if (!isSallyportError(error) || cluster === undefined || !offlineCodes.has(error.code))
    return error
  const { subscriptionId } = scope
  const [, resourceGroup = ''] = /\/resourcegroups\/([^/]+)\//i.exec(cluster.id) ?? []
  const latest = await getCluster(scope, {
    subscriptionId,
    resourceGroup,
    name: cluster.name,
  }).catch(() => cluster)
  return offlineError(latest, Date.now(), error)
}
