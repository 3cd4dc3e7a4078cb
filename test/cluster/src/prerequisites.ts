/**
 * What the machine must have, checked all at once before anything starts.
 * @module
 */
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { ClusterSize } from './cluster.ts'
import { ClusterError } from './error.ts'
import { programPath } from './program-path.ts'
import { runCommand } from './run-command.ts'

/** What is about to be done. */
export interface PrerequisiteRequest {
  size?: ClusterSize
  netns?: boolean
  /** Whether the binaries have to be built. */
  build?: boolean
  /** Whether packages with tools are unpacked. */
  tools?: boolean
  /** Search path for programs and CNI plugins; default: that of this process and the usual plugin directories. */
  path?: string
  cniPath?: string
  /** Whether this process is root. */
  root?: boolean
}

/** A missing thing and the Debian package that has it; no package: `remedy` says what to do. */
export interface MissingPrerequisite {
  name: string
  package?: string
  remedy?: string
}

/** Directories distributions put CNI plugins into. */
const cniDirectories = '/usr/lib/cni:/opt/cni/bin:/usr/libexec/cni'
const cniPlugins = ['ptp', 'host-local', 'loopback']
const always = { setpriv: 'util-linux', flock: 'util-linux' }
const forNetns = { nsenter: 'util-linux', ip: 'iproute2' }
const forTools = { tar: 'tar', unzip: 'unzip' }
const forNode = {
  ...forNetns,
  unshare: 'util-linux',
  mount: 'mount',
  containerd: 'containerd',
  'containerd-shim-runc-v2': 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  conntrack: 'conntrack',
  busybox: 'busybox-static',
  tar: 'tar',
}

async function findIn(path: string, name: string): Promise<string | undefined> {
  for (const directory of path.split(delimiter)) {
    const file = join(directory, name)
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return file
  }
  return undefined
}

/** The directory that holds the CNI plugins, undefined when there is none. */
export async function findCniDirectory(path: string = cniDirectories): Promise<string | undefined> {
  for (const directory of path.split(delimiter)) {
    const found = await Promise.all(cniPlugins.map((name) => findIn(directory, name)))
    if (found.every((file) => file !== undefined)) return directory
  }
  return undefined
}

async function missingPrograms(
  path: string,
  request: PrerequisiteRequest,
): Promise<MissingPrerequisite[]> {
  const programs = {
    ...always,
    ...(request.netns === true ? forNetns : {}),
    ...(request.size === 'node' ? forNode : {}),
    ...(request.tools === true ? forTools : {}),
  }
  const missing: MissingPrerequisite[] = []
  for (const [name, from] of Object.entries(programs))
    if ((await findIn(path, name)) === undefined) missing.push({ name, package: from })
  return missing
}

/** Any Go from 1.21 on fetches by itself the version that go.mod asks for. */
const oldestGoMinor = 21

async function missingGo(path: string): Promise<MissingPrerequisite[]> {
  const go = await findIn(path, 'go')
  const version = go === undefined ? '' : await runCommand([go, 'version']).catch(() => '')
  const minor = /^go version go1\.(\d+)/.exec(version)?.[1]
  if (go !== undefined && Number(minor ?? oldestGoMinor) >= oldestGoMinor) return []
  const found = minor === undefined ? '' : ` (1.${minor} is too old)`
  const remedy =
    'sh test/cluster/install-prerequisites.sh   (or set KUBEBUILDER_ASSETS to ready binaries)'
  return [{ name: `go${found}`, remedy }]
}

/** Everything that is missing for a request. */
export async function missingPrerequisites(
  request: PrerequisiteRequest,
): Promise<MissingPrerequisite[]> {
  const path = request.path ?? programPath()
  const node = request.size === 'node'
  const missing = await missingPrograms(path, request)
  if (node && (await findCniDirectory(request.cniPath)) === undefined)
    missing.push({
      name: `CNI plugins ${cniPlugins.join(', ')}`,
      package: 'containernetworking-plugins',
    })
  if (request.build === true) missing.push(...(await missingGo(path)))
  const root = request.root ?? process.getuid?.() === 0
  if ((node || request.netns === true) && !root)
    missing.push({ name: 'root', remedy: 'run the same command with sudo' })
  return missing
}

/** Says what is missing and how to get it. */
export function describeMissing(missing: readonly MissingPrerequisite[]): string {
  const packages = [...new Set(missing.flatMap((entry) => entry.package ?? []))]
  const remedies = missing.flatMap((entry) => entry.remedy ?? [])
  const commands = packages.length === 0 ? [] : [`apt-get install -y ${packages.join(' ')}`]
  return [
    `missing on this machine: ${missing.map((entry) => entry.name).join(', ')}`,
    'get them with',
    ...[...commands, ...remedies].map((line) => `  ${line}`),
  ].join('\n')
}

/** Throws one error that names everything that is missing. */
export async function checkPrerequisites(request: PrerequisiteRequest): Promise<void> {
  if (process.platform !== 'linux')
    throw new ClusterError('ERR_CLUSTER_PREREQUISITE', 'a cluster of this kind needs Linux')
  const missing = await missingPrerequisites(request)
  if (missing.length > 0)
    throw new ClusterError('ERR_CLUSTER_PREREQUISITE', describeMissing(missing))
}
