/**
 * What one asks for and what one gets: options, progress and handle of a running cluster.
 * @module
 */

/** `control-plane`: etcd and API server. `node`: plus controller-manager, scheduler, kubelet, containerd, kube-proxy. */
export type ClusterSize = 'control-plane' | 'node'

/** One event of a start or a build. `fraction` is 0 to 1, `expectedSeconds` an estimate given with `start`. */
export interface ClusterProgress {
  step: string
  state: 'start' | 'done' | 'note'
  detail?: string
  fraction?: number
  expectedSeconds?: number
}

/** How to start a cluster. */
export interface ClusterOptions {
  size: ClusterSize
  /** Where everything is kept; left in place by `stop()`. Default: a fresh temporary directory, which `stop()` removes. */
  directory?: string
  /** Name of an existing network namespace in which everything of the cluster runs. */
  netns?: string
  /** One more non-loopback IPv4 address of that namespace (or the host) the API server serves and names in its certificate. */
  address?: string
  /** Run the controller-manager (tokens of service accounts, garbage collection, Deployments). Default: only with a node. */
  controllerManager?: boolean
  /** Port of the API server; default: a free one. */
  apiServerPort?: number
  /** `iss` of service account tokens; default: the in-cluster name of the API server. Where its keys are published is up to the owner. */
  serviceAccountIssuer?: string
  /** Cancels the start; a cluster that is up is ended by `stop()` only. */
  signal?: AbortSignal
  onProgress?: (progress: ClusterProgress) => void
}

/** A cluster that answers. */
export interface Cluster {
  size: ClusterSize
  directory: string
  /** Kubernetes version without the `v`. */
  version: string
  /** Path of the administrator's kubeconfig (client certificate), mode 0600. */
  kubeconfig: string
  /** URL of the API server. */
  server: string
  caFile: string
  /** Path of the API server's audit log: JSON lines, level Metadata. */
  auditLog: string
  /** Path of the kubectl that belongs to it. */
  kubectl: string
  /** Name of the busybox image in containerd; use it with `imagePullPolicy: Never`. Size `node` only. */
  image?: string
  /** Live processes by component name. */
  pids: () => Record<string, number>
  /** Ends and removes everything; may be called any number of times. */
  stop(): Promise<void>
}
