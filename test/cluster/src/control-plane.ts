/**
 * etcd, API server, and on demand controller-manager and scheduler.
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { createTokenKeys, type KeyPairFiles } from './certificates.ts'
import { ClusterError } from './error.ts'
import { componentError, type Component } from './component.ts'
import { freePortsIn } from './free-ports.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import { adminKubeconfig, checkComponents, runKubectl, startIn, type Launch } from './launch.ts'
import { apiServerReadyMs, bootstrapReadyMs } from './limits.ts'
import { waitUntil } from './wait-until.ts'

/** First address of the service network: the `kubernetes` service. */
const kubernetesServiceIp = '10.96.0.1'
/** Network of cluster IPs. */
const serviceNetwork = '10.96.0.0/16'
/** Network of pods. */
export const podNetwork = '10.244.0.0/16'

/** Where the API server is to be reached. */
export interface ControlPlaneOptions {
  controllerManager: boolean
  scheduler: boolean
  /** Host of the URL in the kubeconfigs. */
  host: string
  /** More addresses it serves; none: loopback only. */
  addresses: readonly string[]
  /** Address pods find behind the `kubernetes` service; none: the service has no endpoint. */
  advertise?: string
  apiServerPort?: number
  serviceAccountIssuer?: string
}

/** A control plane whose API server is ready. */
export interface ControlPlane {
  server: string
  auditLog: string
  tokenKeys: { key: string; public: string }
}

interface EtcdEndpoint {
  url: string
  pair: KeyPairFiles
}

async function startEtcd(launch: Launch, ports: readonly number[]): Promise<EtcdEndpoint> {
  const [clientPort, peerPort] = ports
  const pair = await launch.authority.issue({
    name: 'etcd',
    commonName: 'etcd',
    hosts: ['127.0.0.1', 'localhost'],
  })
  const url = `https://127.0.0.1:${clientPort ?? 0}`
  const peerUrl = `https://127.0.0.1:${peerPort ?? 0}`
  const tls = (prefix: string): string[] => [
    `--${prefix}cert-file=${pair.certificate}`,
    `--${prefix}key-file=${pair.key}`,
    `--${prefix}trusted-ca-file=${launch.authority.certificate}`,
    `--${prefix}client-cert-auth`,
  ]
  await startIn(launch, {
    name: 'etcd',
    command: [
      launch.binaries.path('etcd'),
      '--name=sallyport',
      `--data-dir=${join(launch.directory, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=sallyport=${peerUrl}`,
      ...tls(''),
      ...tls('peer-'),
      // The data live as long as the process: losing them with the machine loses nothing.
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
  })
  return { url, pair }
}

async function writeAuditPolicy(launch: Launch): Promise<string> {
  const file = join(launch.directory, 'audit-policy.yaml')
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [{ level: 'Metadata' }],
  }
  await writeFile(file, stringify(policy))
  return file
}

async function kubeletClientFlags(launch: Launch): Promise<string[]> {
  const pair = await launch.authority.issue({
    name: 'apiserver-kubelet-client',
    commonName: 'kube-apiserver-kubelet-client',
    organization: 'system:masters',
  })
  return [
    `--kubelet-client-certificate=${pair.certificate}`,
    `--kubelet-client-key=${pair.key}`,
    `--kubelet-certificate-authority=${launch.authority.certificate}`,
    '--kubelet-preferred-address-types=InternalIP,Hostname',
  ]
}

interface ApiServerPlan {
  options: ControlPlaneOptions
  port: number
  etcd: EtcdEndpoint
  tokenKeys: { key: string; public: string }
  auditLog: string
}

async function startApiServer(launch: Launch, plan: ApiServerPlan): Promise<Component> {
  const { options, etcd, tokenKeys } = plan
  const { authority } = launch
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost']
  const hosts = [...names, '127.0.0.1', kubernetesServiceIp, ...options.addresses]
  const serving = await authority.issue({
    name: 'kube-apiserver',
    commonName: 'kube-apiserver',
    hosts,
  })
  const command = [
    launch.binaries.path('kube-apiserver'),
    `--etcd-servers=${etcd.url}`,
    `--etcd-cafile=${authority.certificate}`,
    `--etcd-certfile=${etcd.pair.certificate}`,
    `--etcd-keyfile=${etcd.pair.key}`,
    `--bind-address=${options.addresses.length === 0 ? '127.0.0.1' : '0.0.0.0'}`,
    `--secure-port=${plan.port}`,
    `--advertise-address=${options.advertise ?? '127.0.0.1'}`,
    // An endpoint must not be a loopback address (validation of Endpoints), so without a node there is none.
    `--endpoint-reconciler-type=${options.advertise === undefined ? 'none' : 'lease'}`,
    `--tls-cert-file=${serving.certificate}`,
    `--tls-private-key-file=${serving.key}`,
    `--client-ca-file=${authority.certificate}`,
    ...(await kubeletClientFlags(launch)),
    `--service-account-issuer=${options.serviceAccountIssuer ?? 'https://kubernetes.default.svc'}`,
    `--service-account-key-file=${tokenKeys.public}`,
    `--service-account-signing-key-file=${tokenKeys.key}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    // Without a controller-manager no namespace gets its service account, and no pod could be created.
    ...(options.controllerManager ? [] : ['--disable-admission-plugins=ServiceAccount']),
    `--service-cluster-ip-range=${serviceNetwork}`,
    '--allow-privileged=true',
    '--profiling=false',
    `--audit-policy-file=${await writeAuditPolicy(launch)}`,
    `--audit-log-path=${plan.auditLog}`,
  ]
  return startIn(launch, { name: 'kube-apiserver', command })
}

/** Issues a client certificate and writes the kubeconfig of one of the cluster's own programs. */
export async function programKubeconfig(
  launch: Launch,
  server: string,
  user: { name: string; commonName: string; organization?: string },
): Promise<string> {
  const client = await launch.authority.issue(user)
  const file = join(launch.directory, `${user.name}.kubeconfig`)
  const ca = launch.authority.certificate
  return writeKubeconfig(file, server, { ca, client, user: user.name })
}

async function startControllerManager(launch: Launch, plane: ControlPlane): Promise<void> {
  const user = { name: 'kube-controller-manager', commonName: 'system:kube-controller-manager' }
  const kubeconfig = await programKubeconfig(launch, plane.server, user)
  await startIn(launch, {
    name: user.name,
    command: [
      launch.binaries.path(user.name),
      `--kubeconfig=${kubeconfig}`,
      `--service-account-private-key-file=${plane.tokenKeys.key}`,
      `--root-ca-file=${launch.authority.certificate}`,
      `--cluster-signing-cert-file=${launch.authority.certificate}`,
      `--cluster-signing-key-file=${launch.authority.key}`,
      '--use-service-account-credentials',
      '--leader-elect=false',
      '--secure-port=0',
      // The default of 20 a second makes the first service account wait for 5 s.
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ],
  })
}

async function startScheduler(launch: Launch, plane: ControlPlane): Promise<void> {
  const user = { name: 'kube-scheduler', commonName: 'system:kube-scheduler' }
  const kubeconfig = await programKubeconfig(launch, plane.server, user)
  const flags = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0']
  await startIn(launch, { name: user.name, command: [launch.binaries.path(user.name), ...flags] })
}

async function waitForApiServer(launch: Launch, apiServer: Component): Promise<void> {
  const { signal } = launch
  const check = (): void => {
    checkComponents(launch)
  }
  const ready = { what: 'a ready API server', timeoutMs: apiServerReadyMs, signal, check }
  try {
    await waitUntil(
      async () => (await runKubectl(launch, ['get', '--raw', '/readyz'])) !== '',
      ready,
    )
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'ERR_CLUSTER_TIMEOUT')
      throw componentError(apiServer, `was not ready: ${error.message}`, error.code)
    throw error
  }
}

/** Waits for what the API server and the controller-manager make on their own in the first seconds. */
async function waitForBootstrap(launch: Launch, controllerManager: boolean): Promise<void> {
  const objects = ['clusterrole/view', 'namespace/default']
  if (controllerManager) objects.push('serviceaccount/default')
  const what = `the presence of ${objects.join(', ')}`
  const check = (): void => {
    checkComponents(launch)
  }
  await waitUntil(
    async () => {
      await runKubectl(launch, ['get', '-n', 'default', '-o', 'name', ...objects])
      return true
    },
    { what, timeoutMs: bootstrapReadyMs, signal: launch.signal, check },
  )
}

/** Starts the control plane and resolves when it answers and its first objects are there. */
export async function startControlPlane(
  launch: Launch,
  options: ControlPlaneOptions,
): Promise<ControlPlane> {
  const ports = await freePortsIn(launch.netns, 3)
  const port = options.apiServerPort ?? ports[2] ?? 0
  await mkdir(launch.directory, { recursive: true, mode: 0o700 })
  const plane: ControlPlane = {
    server: `https://${options.host}:${port}`,
    auditLog: join(launch.directory, 'audit.log'),
    tokenKeys: await createTokenKeys(launch.authority.directory),
  }
  const admin = { name: 'admin', commonName: 'kubernetes-admin', organization: 'system:masters' }
  const client = await launch.authority.issue(admin)
  const credentials = { ca: launch.authority.certificate, client, user: admin.commonName }
  await writeKubeconfig(adminKubeconfig(launch), plane.server, credentials)
  const etcd = await startEtcd(launch, ports)
  const { tokenKeys, auditLog } = plane
  const apiServer = await startApiServer(launch, { options, port, etcd, tokenKeys, auditLog })
  await waitForApiServer(launch, apiServer)
  if (options.controllerManager) await startControllerManager(launch, plane)
  if (options.scheduler) await startScheduler(launch, plane)
  await waitForBootstrap(launch, options.controllerManager)
  return plane
}
