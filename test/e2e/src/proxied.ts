/**
 * A developer's `sallyport proxy` and the kubectl that goes through it, beside the operator's direct one.
 * @module
 */
import { join } from 'node:path'
import { inject } from 'vitest'
import { runAs, sallyportStart, startAs, type Actor } from './actors.ts'
import type { ClusterInfo, Lab } from './lab.ts'
import type { ProcessOptions, ProcessResult, Running } from './process.ts'

/** The lab of this run. */
export function lab(): Lab {
  return inject('lab')
}

/** The cluster of this run. */
export function cluster(): ClusterInfo {
  const { cluster: info } = lab()
  if (info === undefined) throw new Error('this area runs without a cluster')
  return info
}

let proxies = 0

/** A proxy that is ready. */
export interface Proxy {
  actor: Actor
  kubeconfig: string
  running: Running
  /** Ctrl-C. */
  stop: () => Promise<ProcessResult>
}

/** Starts `sallyport proxy` on a free port with its own kubeconfig, as the developer unless another is named; resolves when it says ready. */
export async function startProxy(
  args: string[] = [],
  options: ProcessOptions & { actor?: Actor } = {},
): Promise<Proxy> {
  const { developer, clusterName, resourceGroup } = lab()
  const { actor = developer, ...rest } = options
  const kubeconfig = join(actor.home, `proxy-${process.pid}-${++proxies}.kubeconfig`)
  const running = sallyportStart(
    actor,
    [
      'connectedk8s',
      'proxy',
      '-n',
      clusterName,
      '-g',
      resourceGroup,
      '--port',
      '0',
      '-f',
      kubeconfig,
      ...args,
    ],
    rest,
  )
  await running.waitFor(/ready/i)
  return { actor, kubeconfig, running, stop: () => running.stop('SIGINT') }
}

/** kubectl through a proxy, as whoever runs it. */
export function kubectl(
  proxy: Proxy,
  args: string[],
  options: KubectlOptions = {},
): Promise<ProcessResult> {
  const { program, ...rest } = options
  return runAs(
    proxy.actor,
    [program ?? cluster().kubectl, `--kubeconfig=${proxy.kubeconfig}`, ...args],
    rest,
  )
}

/** Options of one kubectl call: `program` is another kubectl binary. */
export interface KubectlOptions extends ProcessOptions {
  program?: string
}

/** kubectl through a proxy that must succeed; returns stdout. */
export async function kubectlOk(
  proxy: Proxy,
  args: string[],
  options: KubectlOptions = {},
): Promise<string> {
  return succeeded(await kubectl(proxy, args, options), `kubectl ${args.join(' ')}`)
}

/** Starts kubectl through a proxy and leaves it running. */
export function kubectlStart(proxy: Proxy, args: string[], options: KubectlOptions = {}): Running {
  const { program, ...rest } = options
  return startAs(
    proxy.actor,
    [program ?? cluster().kubectl, `--kubeconfig=${proxy.kubeconfig}`, ...args],
    rest,
  )
}

/** kubectl beside the API server with the cluster's own admin kubeconfig. */
export function direct(args: string[], options: ProcessOptions = {}): Promise<ProcessResult> {
  return runAs(
    lab().operator,
    [cluster().kubectl, `--kubeconfig=${cluster().kubeconfig}`, ...args],
    options,
  )
}

/** As `direct`; it must succeed; returns stdout. */
export async function directOk(args: string[], options: ProcessOptions = {}): Promise<string> {
  return succeeded(await direct(args, options), `kubectl ${args.join(' ')}`)
}

function succeeded(result: ProcessResult, what: string): string {
  if (result.code !== 0) {
    throw new Error(
      `${what} ended with ${result.code ?? result.signal ?? '?'}:\n${result.stdout}\n${result.stderr}`,
    )
  }
  return result.stdout
}

/** Applies manifests with the admin kubeconfig. */
export async function applyDirect(manifest: unknown): Promise<void> {
  await directOk(['apply', '-f', '-'], { input: JSON.stringify(manifest) })
}

/** Grants an object id (the administrator's unless another is named) a ClusterRole by a binding of this name. */
export async function grant(
  name: string,
  clusterRole: string,
  subject: { kind: 'User' | 'Group'; name: string } = { kind: 'User', name: lab().hub.objectId },
): Promise<void> {
  await applyDirect({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', ...subject }],
  })
}

/** Takes a binding away again. */
export async function revoke(name: string): Promise<void> {
  await directOk(['delete', 'clusterrolebinding', name, '--ignore-not-found'])
}
