/**
 * A real Kubernetes, brought up on this machine.
 * @module
 */
export type { Cluster, ClusterOptions, ClusterProgress, ClusterSize } from './cluster.ts'
export { startCluster } from './start-cluster.ts'
export {
  provideBinaries,
  type Binaries,
  type BinariesOrigin,
  type BinariesRequest,
} from './binaries.ts'
export { provideGoProgram } from './go-program.ts'
export { provideKubeTools, type KubeTool } from './kube-tools.ts'
export { createAuthority, type Authority, type KeyPairFiles } from './certificates.ts'
export { ClusterError, type ClusterErrorCode } from './error.ts'
export { sweepClusters, type SweepResult } from './sweep.ts'
