/**
 * The network the suite runs in: three namespaces, `hub` in the middle, `site` that lets nothing in and only the hub's
 * port out, `laptop` somewhere else.
 * @module
 */
import { ok, run } from './process.ts'

/** Names of the three namespaces and the one address all of them know. */
export interface Network {
  hub: string
  site: string
  laptop: string
  /** Address of the hub, on its loopback, routed from both sides. */
  hubAddress: string
  /** Address of the site on its uplink. */
  siteAddress: string
  laptopAddress: string
}

/** TCP port of the hub: the one way out of the site. */
export const hubPort = 443

const ip = (...args: string[]) => ok('ip', args)
const inside = (netns: string, ...args: string[]) => ok('ip', ['-n', netns, ...args])

async function joinHub(network: Network, netns: string, subnet: number): Promise<void> {
  const hubEnd = `${netns.slice(-8)}-h`
  await inside(
    network.hub,
    'link',
    'add',
    hubEnd,
    'type',
    'veth',
    'peer',
    'name',
    'uplink',
    'netns',
    netns,
  )
  await inside(network.hub, 'addr', 'add', `10.77.${subnet}.1/24`, 'dev', hubEnd)
  await inside(network.hub, 'link', 'set', hubEnd, 'up')
  await inside(netns, 'addr', 'add', `10.77.${subnet}.2/24`, 'dev', 'uplink')
  await inside(netns, 'link', 'set', 'uplink', 'up')
  await inside(netns, 'link', 'set', 'lo', 'up')
  await inside(netns, 'route', 'add', `${network.hubAddress}/32`, 'via', `10.77.${subnet}.1`)
}

/** The firewall of the site: nothing comes in on the uplink, only TCP to the hub's port goes out. */
async function closeSite(network: Network): Promise<void> {
  const rule = (...args: string[]) => ok('iptables', ['-w', ...args], { netns: network.site })
  await rule(
    '-A',
    'INPUT',
    '-i',
    'uplink',
    '-m',
    'conntrack',
    '--ctstate',
    'ESTABLISHED',
    '-j',
    'ACCEPT',
  )
  await rule('-A', 'INPUT', '-i', 'uplink', '-j', 'DROP')
  await rule(
    '-A',
    'OUTPUT',
    '-o',
    'uplink',
    '-d',
    network.hubAddress,
    '-p',
    'tcp',
    '--dport',
    String(hubPort),
    '-j',
    'ACCEPT',
  )
  await rule('-A', 'OUTPUT', '-o', 'uplink', '-j', 'REJECT')
  await rule('-A', 'FORWARD', '-i', 'uplink', '-j', 'DROP')
  await rule('-A', 'FORWARD', '-o', 'uplink', '-j', 'DROP')
}

/** Makes the namespaces; `tag` keeps two suites on one machine apart. */
export async function createNetwork(tag: string): Promise<Network> {
  const network: Network = {
    hub: `sp-${tag}-hub`,
    site: `sp-${tag}-site`,
    laptop: `sp-${tag}-lap`,
    hubAddress: '10.77.0.1',
    siteAddress: '10.77.1.2',
    laptopAddress: '10.77.2.2',
  }
  for (const name of [network.hub, network.site, network.laptop]) await ip('netns', 'add', name)
  await inside(network.hub, 'link', 'set', 'lo', 'up')
  await inside(network.hub, 'addr', 'add', `${network.hubAddress}/32`, 'dev', 'lo')
  await joinHub(network, network.site, 1)
  await joinHub(network, network.laptop, 2)
  await closeSite(network)
  return network
}

/** Removes the namespaces and with them every link and rule inside. */
export async function removeNetwork(network: Network): Promise<void> {
  for (const name of [network.hub, network.site, network.laptop]) {
    await run('ip', ['netns', 'del', name])
  }
}
