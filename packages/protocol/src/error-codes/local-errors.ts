/**
 * Error codes of the machine the CLI runs on.
 * @module
 */
import { entry, type ErrorEntry } from './entry.ts'

/** Codes of this area. */
export const localErrors = {
  ERR_KUBECONFIG: entry(400, 'InvalidKubeconfig', {
    exit: 1,
    remedy: 'check the named kubeconfig file: kubectl config view',
  }),
  ERR_KUBECONFIG_CONFLICT: entry(409, 'Conflict', {
    exit: 8,
    remedy: 'pass --overwrite, or --kube-context NAME for another name',
  }),
  ERR_KUBERNETES_UNREACHABLE: entry(503, 'ServiceUnavailable', {
    exit: 6,
    retryable: true,
    remedy: 'check the kubeconfig and context: kubectl get --raw /version',
  }),
  ERR_KUBERNETES_FORBIDDEN: entry(403, 'Forbidden', {
    exit: 5,
    remedy: 'use a kubeconfig whose user may do this (cluster-admin for connect)',
  }),
  ERR_KUBERNETES_TOKEN: entry(401, 'Unauthorized', {
    exit: 4,
    remedy: 'make a new token: kubectl create token SERVICE_ACCOUNT',
  }),
  ERR_PORT_IN_USE: entry(409, 'Conflict', {
    exit: 8,
    remedy: 'choose another port with --port, or --port 0 for any free one',
  }),
  ERR_FILE_LOCKED: entry(409, 'Conflict', {
    exit: 8,
    retryable: true,
    remedy: 'wait for the other process, or remove a stale lock file',
  }),
  ERR_FILE_ACCESS: entry(500, 'FileAccess', {
    exit: 1,
    remedy: 'check owner, permissions and free space of the named path',
  }),
  ERR_STATE_INVALID: entry(500, 'InvalidState', {
    exit: 1,
    remedy:
      'the named state file is damaged: restore it, or remove it and sign in or connect again',
  }),
  ERR_CHILD_FAILED: entry(500, 'ChildFailed', {
    exit: 1,
    remedy: 'read the named log file',
  }),
} as const satisfies Record<string, ErrorEntry>
