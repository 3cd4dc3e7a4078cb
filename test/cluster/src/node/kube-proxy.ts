/**
 * kube-proxy, which makes services reachable from pods.
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { podNetwork, programKubeconfig, type ControlPlane } from '../control-plane.ts'
import { freePortsIn } from '../free-ports.ts'
import { startIn, type Launch } from '../launch.ts'
import { nodeName } from './kubelet.ts'

/** Starts kube-proxy in the node's network namespace. */
export async function startKubeProxy(
  launch: Launch,
  plane: ControlPlane,
  directory: string,
): Promise<void> {
  const user = { name: 'kube-proxy', commonName: 'system:kube-proxy' }
  const [healthPort, metricsPort] = await freePortsIn(launch.netns, 2)
  const configuration = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: await programKubeconfig(launch, plane.server, user) },
    hostnameOverride: nodeName,
    mode: 'iptables',
    clusterCIDR: podNetwork,
    // Node ports are for other machines; without this it changes route_localnet of the namespace.
    iptables: { localhostNodePorts: false },
    healthzBindAddress: `127.0.0.1:${healthPort ?? 0}`,
    metricsBindAddress: `127.0.0.1:${metricsPort ?? 0}`,
    // Zero leaves the machine's settings alone; a namespace could not write them anyway.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  }
  const file = join(directory, 'kube-proxy.yaml')
  await writeFile(file, stringify(configuration))
  const command = [launch.binaries.path('kube-proxy'), `--config=${file}`]
  await startIn(launch, { name: 'kube-proxy', command })
}
