/**
 * containerd with roots, state, socket and CNI configuration of its own.
 * @module
 */
import { mkdir, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Component } from '../component.ts'
import { componentError } from '../component.ts'
import { podNetwork } from '../control-plane.ts'
import { messageOf } from '../error.ts'
import { startIn, type Launch } from '../launch.ts'
import { containerdReadyMs } from '../limits.ts'
import { inNetns } from '../netns.ts'
import { findCniDirectory } from '../prerequisites.ts'
import { runCommand } from '../run-command.ts'
import { waitUntil } from '../wait-until.ts'
import { pauseImage } from './image.ts'
import { inNewMountNamespace, prepareMounts } from './mount-namespace.ts'
import type { NodeNetwork } from './network.ts'

/** A containerd that answers. */
export interface Containerd {
  component: Component
  socket: string
  importImages(archive: string): Promise<void>
}

/** statfs(2): type of overlayfs, on which another overlayfs cannot be put. */
const overlayType = 0x794c7630

interface Plan {
  directory: string
  socket: string
  cniBinaries: string
  snapshotter: string
}

/** A string in TOML is one in JSON for every path there can be here. */
const quote = (text: string): string => JSON.stringify(text)

function configuration({ directory, socket, cniBinaries, snapshotter }: Plan): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = ${quote(join(directory, 'containerd'))}
state = ${quote(join(directory, 'containerd-state'))}
[grpc]
  address = ${quote(socket)}
[plugins."io.containerd.internal.v1.opt"]
  path = ${quote(join(directory, 'containerd-opt'))}
[${cri}]
  sandbox_image = ${quote(pauseImage)}
  # A machine without CAP_SYS_RESOURCE cannot give a sandbox its oom_score_adj of -998; runc then says only "can't get
  # final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[${cri}.cni]
  bin_dir = ${quote(cniBinaries)}
  conf_dir = ${quote(join(directory, 'cni'))}
[${cri}.containerd]
  snapshotter = ${quote(snapshotter)}
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
`
}

/** ptp routes pods instead of bridging them, so that kube-proxy's rules also see what goes from pod to pod. */
async function writeCniConfiguration(directory: string, masquerade: boolean): Promise<void> {
  const range = { subnet: podNetwork.replace(/\/\d+$/, '/24') }
  const ipam = {
    type: 'host-local',
    dataDir: join(directory, 'cni-addresses'),
    ranges: [[range]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  const plugins = [{ type: 'ptp', ipMasq: masquerade, ipam }]
  const list = { cniVersion: '0.4.0', name: 'sallyport', plugins }
  await mkdir(join(directory, 'cni'), { recursive: true })
  await writeFile(join(directory, 'cni', '10-sallyport.conflist'), JSON.stringify(list, null, 2))
}

/** Starts containerd below `directory` and resolves when it answers. */
export async function startContainerd(
  launch: Launch,
  directory: string,
  network: NodeNetwork,
): Promise<Containerd> {
  const socket = join(directory, 'containerd.sock')
  const isOverlay = (await statfs(directory)).type === overlayType
  const snapshotter = isOverlay ? 'native' : 'overlayfs'
  const cniBinaries = (await findCniDirectory()) ?? ''
  const file = join(directory, 'containerd.toml')
  await writeFile(file, configuration({ directory, socket, cniBinaries, snapshotter }))
  await writeCniConfiguration(directory, network.masquerade)
  await prepareMounts(directory)
  const component = await startIn(launch, {
    name: 'containerd',
    enter: [...inNetns(network.netns), ...inNewMountNamespace(directory)],
    command: ['containerd', '--config', file],
  })
  const ctr = ['ctr', '--address', socket, '--namespace', 'k8s.io']
  const check = (): void => {
    component.check()
  }
  const limits = { timeoutMs: containerdReadyMs, signal: launch.signal, check }
  await waitUntil(
    async () => (await runCommand([...ctr, 'version'], { signal: launch.signal })) !== '',
    { what: `an answering containerd (log: ${component.logFile})`, ...limits },
  )
  const importImages = async (archive: string): Promise<void> => {
    try {
      const words = ['images', 'import', '--snapshotter', snapshotter, archive]
      await runCommand([...ctr, ...words], { signal: launch.signal })
    } catch (error) {
      throw componentError(component, `did not take the images: ${messageOf(error)}`)
    }
  }
  return { component, socket, importImages }
}
