/**
 * Adds the node to a control plane that is up.
 * @module
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createCgroup } from '../cgroups.ts'
import { saveState } from '../cluster-state.ts'
import { componentError } from '../component.ts'
import type { ControlPlane } from '../control-plane.ts'
import { ClusterError } from '../error.ts'
import { asStep, checkComponents, runKubectl, type Launch } from '../launch.ts'
import { nodeReadyMs } from '../limits.ts'
import { waitUntil } from '../wait-until.ts'
import { startContainerd } from './containerd.ts'
import { buildImages } from './image.ts'
import { startKubeProxy } from './kube-proxy.ts'
import { nodeName, startKubelet } from './kubelet.ts'
import type { NodeNetwork } from './network.ts'

async function waitForNode(launch: Launch): Promise<void> {
  const path = '{.status.conditions[?(@.type=="Ready")].status}'
  const question = ['get', 'node', nodeName, '-o', `jsonpath=${path}`]
  await waitUntil(async () => (await runKubectl(launch, question)) === 'True', {
    what: `a Ready node ${nodeName}`,
    timeoutMs: nodeReadyMs,
    signal: launch.signal,
    check: () => {
      checkComponents(launch)
    },
  })
}

/** Starts containerd, kubelet and kube-proxy, imports the images, and resolves when the node is Ready. */
export async function startNode(
  launch: Launch,
  plane: ControlPlane,
  network: NodeNetwork,
): Promise<void> {
  const directory = join(launch.directory, 'node')
  await mkdir(directory, { recursive: true, mode: 0o711 })
  const cgroup = `sallyport-${launch.state.id}`
  launch.state.cgroup = cgroup
  await saveState(launch.state)
  await createCgroup(cgroup)
  const containerd = await asStep(launch, { step: 'containerd' }, () =>
    startContainerd(launch, directory, network),
  )
  await asStep(launch, { step: 'images' }, async () => {
    const images = join(directory, 'images')
    await mkdir(images)
    await containerd.importImages(await buildImages(images))
  })
  await asStep(launch, { step: 'node', expectedSeconds: 8 }, async () => {
    const kubelet = await startKubelet(launch, plane, { directory, network, containerd })
    await startKubeProxy(launch, plane, directory)
    try {
      await waitForNode(launch)
    } catch (error) {
      if (error instanceof ClusterError && error.code === 'ERR_CLUSTER_TIMEOUT')
        throw componentError(kubelet, `did not become Ready: ${error.message}`, error.code)
      throw error
    }
  })
}
