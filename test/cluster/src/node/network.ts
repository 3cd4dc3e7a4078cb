/**
 * The node's address, and the network namespace it is in.
 *
 * Without a namespace of the caller's the cluster gets one of its own, joined to the host by a veth pair: kube-proxy's
 * rules, pods' devices and routes never touch the host, several nodes can run at once, and deleting the namespace
 * removes it all. The host reaches the API server by the pair's far address.
 * @module
 */
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { ClusterError, messageOf } from '../error.ts'
import { saveState, type NetworkState } from '../cluster-state.ts'
import type { Launch } from '../launch.ts'
import { inNetns } from '../netns.ts'
import { runCommand } from '../run-command.ts'

/** Where the node is. */
export interface NodeNetwork {
  netns: string
  /** Address of the node; never loopback, which the API server would not accept as an endpoint. */
  nodeIp: string
  /** Host by which the owner reaches the API server. */
  host: string
  /** Whether pods may leave the namespace under the node's address. */
  masquerade: boolean
}

/** Slots of four addresses in 198.18.0.0/16, which is reserved for tests between networks (RFC 2544). */
const slots = 256
/** Node address in a namespace of the caller's, where it can collide with nothing but another node. */
const innerNodeIp = '198.19.255.1'
const innerDevice = 'sallyport0'

const addressOf = (slot: number, offset: number): string => `198.18.${slot}.${offset}`

async function ip(netns: string | undefined, ...words: string[]): Promise<void> {
  await runCommand([...inNetns(netns), 'ip', ...words])
}

function usedAddresses(): Set<string> {
  return new Set(
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .map((entry) => entry.address),
  )
}

/** Claims a slot by making its device: the kernel lets only one of several callers do so. */
async function claimSlot(launch: Launch, network: NetworkState): Promise<number> {
  const used = usedAddresses()
  let reason = 'all in use'
  for (let slot = 0; slot < slots; slot += 1) {
    if (used.has(addressOf(slot, 1))) continue
    const device = `sallyport${slot}`
    const peer = ['peer', 'name', 'eth0', 'netns', network.netns]
    try {
      await ip(undefined, 'link', 'add', device, 'type', 'veth', ...peer)
    } catch (error) {
      reason = messageOf(error)
      // Only a taken name is worth a try of the next one.
      if (usedDevice(device)) continue
      break
    }
    network.device = device
    await saveState(launch.state)
    return slot
  }
  throw new ClusterError('ERR_CLUSTER_COMMAND', `no veth pair for the node: ${reason}`)
}

/** networkInterfaces() would not do: it leaves out devices that have no address yet. */
const usedDevice = (device: string): boolean => existsSync(`/sys/class/net/${device}`)

async function createOwnNetwork(launch: Launch): Promise<NodeNetwork> {
  const netns = `sallyport-${launch.state.id}`
  const network: NetworkState = { netns, ownsNetns: true }
  launch.state.network = network
  await saveState(launch.state)
  await ip(undefined, 'netns', 'add', netns)
  const slot = await claimSlot(launch, network)
  const host = addressOf(slot, 1)
  const nodeIp = addressOf(slot, 2)
  const device = network.device ?? ''
  await ip(undefined, 'address', 'add', `${host}/30`, 'dev', device)
  await ip(undefined, 'link', 'set', device, 'up')
  await ip(netns, 'link', 'set', 'lo', 'up')
  await ip(netns, 'address', 'add', `${nodeIp}/30`, 'dev', 'eth0')
  await ip(netns, 'link', 'set', 'eth0', 'up')
  await ip(netns, 'route', 'add', 'default', 'via', host)
  return { netns, nodeIp, host: nodeIp, masquerade: true }
}

async function createNetworkIn(launch: Launch, netns: string): Promise<NodeNetwork> {
  try {
    await ip(netns, 'link', 'add', innerDevice, 'type', 'bridge')
  } catch (error) {
    const text = `namespace ${netns} cannot have a node (it may have one already: one node for each namespace): ${messageOf(error)}`
    throw new ClusterError('ERR_CLUSTER_USAGE', text, error)
  }
  launch.state.network = { netns, ownsNetns: false, device: innerDevice }
  await saveState(launch.state)
  await ip(netns, 'address', 'add', `${innerNodeIp}/32`, 'dev', innerDevice)
  await ip(netns, 'link', 'set', innerDevice, 'up')
  return { netns, nodeIp: innerNodeIp, host: '127.0.0.1', masquerade: false }
}

/** Gives the node an address: in the caller's namespace when there is one, else in a new one. */
export async function createNodeNetwork(launch: Launch): Promise<NodeNetwork> {
  if (launch.netns === undefined) return createOwnNetwork(launch)
  return createNetworkIn(launch, launch.netns)
}
