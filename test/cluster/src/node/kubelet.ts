/**
 * The kubelet.
 * @module
 */
import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { programKubeconfig, type ControlPlane } from '../control-plane.ts'
import type { Component } from '../component.ts'
import { freePortsIn } from '../free-ports.ts'
import { startIn, type Launch } from '../launch.ts'
import { inNetns } from '../netns.ts'
import type { Containerd } from './containerd.ts'
import { inMountNamespaceOf } from './mount-namespace.ts'
import type { NodeNetwork } from './network.ts'

/** Name of the only node. */
export const nodeName = 'sallyport-node'

const hostResolvConf = '/etc/resolv.conf'

async function writeConfiguration(
  launch: Launch,
  plan: { directory: string; network: NodeNetwork; containerd: Containerd },
): Promise<string> {
  const { directory, network, containerd } = plan
  const serving = await launch.authority.issue({
    name: 'kubelet-serving',
    commonName: nodeName,
    hosts: [nodeName, network.nodeIp],
  })
  const [port] = await freePortsIn(network.netns, 1)
  const hasResolvConf = await access(hostResolvConf).then(
    () => true,
    () => false,
  )
  const configuration = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: network.nodeIp,
    port,
    readOnlyPort: 0,
    healthzPort: 0,
    tlsCertFile: serving.certificate,
    tlsPrivateKeyFile: serving.key,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: launch.authority.certificate },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${containerd.socket}`,
    podLogsDir: join(directory, 'pod-logs'),
    volumePluginDir: join(directory, 'volume-plugins'),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${launch.state.cgroup ?? ''}`,
    // Kubernetes 1.35 and later refuse cgroup v1 without it.
    failCgroupV1: false,
    enforceNodeAllocatable: [],
    // Chains of the kubelet's own would stay behind in a namespace of the caller's; kube-proxy needs none of them.
    makeIPTablesUtilChains: false,
    failSwapOn: false,
    // The machine belongs to somebody: its full disk must not evict the pods of a test.
    evictionHard: {
      'memory.available': '1Mi',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
      'imagefs.inodesFree': '0%',
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    resolvConf: hasResolvConf ? hostResolvConf : '',
    registerNode: true,
    // Pods of tests come and go: seconds matter more than load.
    syncFrequency: '10s',
    nodeStatusUpdateFrequency: '4s',
    protectKernelDefaults: false,
  }
  const file = join(directory, 'kubelet.yaml')
  await writeFile(file, stringify(configuration))
  return file
}

/** Starts the kubelet in containerd's mount namespace: what one mounts the other must see. */
export async function startKubelet(
  launch: Launch,
  plane: ControlPlane,
  plan: { directory: string; network: NodeNetwork; containerd: Containerd },
): Promise<Component> {
  const { directory, network, containerd } = plan
  const root = join(directory, 'kubelet')
  await mkdir(root, { recursive: true, mode: 0o750 })
  const user = {
    name: 'kubelet',
    commonName: `system:node:${nodeName}`,
    organization: 'system:nodes',
  }
  const kubeconfig = await programKubeconfig(launch, plane.server, user)
  const configuration = await writeConfiguration(launch, plan)
  return startIn(launch, {
    name: 'kubelet',
    enter: [...inNetns(network.netns), ...inMountNamespaceOf(containerd.component.identity.pid)],
    command: [
      launch.binaries.path('kubelet'),
      `--config=${configuration}`,
      `--kubeconfig=${kubeconfig}`,
      `--root-dir=${root}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${network.nodeIp}`,
    ],
  })
}
