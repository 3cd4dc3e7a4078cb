/**
 * The closed registry of error codes: for each what a caller does with it and what a person does next.
 * `docs/errors.md` has one section for each code; a test compares the two.
 * @module
 */

/** How one code appears at every edge. `remedy` is the "what to do next" when the thrower gave none. */
export interface ErrorEntry {
  /** HTTP status at the hub API and inside a stream. */
  status: number
  /** `code` of the ARM error envelope (azure-docs: common ARM deployment errors) and reason of a Kubernetes Status. */
  reason: string
  /** Process exit code of the CLI: see `sallyport help exit-codes`. */
  exit: number
  /** Whether the same call may succeed later without a change. */
  retryable: boolean
  remedy: string
}

const entry = (
  status: number,
  reason: string,
  rest: { exit: number; retryable?: boolean; remedy: string },
): ErrorEntry => ({ status, reason, retryable: false, ...rest })

/** All error codes. Exit codes: 1 failed, 2 usage, 3 not found, 4 sign-in, 5 forbidden, 6 offline, 7 timeout, 8 conflict, 9 version skew, 130 interrupted. */
export const errorRegistry = {
  ERR_USAGE: entry(400, 'InvalidParameter', { exit: 2, remedy: 'run the command with --help' }),
  ERR_CONFIG_INVALID: entry(500, 'InvalidConfiguration', {
    exit: 2,
    remedy: 'correct the named settings and start again',
  }),
  ERR_INTERRUPTED: entry(499, 'ClientClosedRequest', {
    exit: 130,
    remedy: 'run the command again',
  }),
  ERR_INTERNAL: entry(500, 'InternalServerError', {
    exit: 1,
    retryable: true,
    remedy: 'look for the request id in the log of the hub or agent',
  }),
  ERR_TIMEOUT: entry(504, 'GatewayTimeout', {
    exit: 7,
    retryable: true,
    remedy: 'try again; if it persists, check the network between the named hops',
  }),

  ERR_AUTH_REQUIRED: entry(401, 'InvalidAuthenticationToken', {
    exit: 4,
    remedy: 'sign in: sallyport login --service-principal',
  }),
  ERR_AUTH_EXPIRED: entry(401, 'ExpiredAuthenticationToken', {
    exit: 4,
    remedy: 'sign in again: sallyport login --service-principal',
  }),
  ERR_AUTH_FAILED: entry(401, 'InvalidAuthenticationToken', {
    exit: 4,
    remedy: 'check the client id and secret, then sign in again',
  }),
  ERR_FORBIDDEN: entry(403, 'AuthorizationFailed', {
    exit: 5,
    remedy: 'ask an administrator of the hub for a role that allows the named action',
  }),
  ERR_RATE_LIMITED: entry(429, 'TooManyRequests', {
    exit: 1,
    retryable: true,
    remedy: 'wait for the named time and try again',
  }),

  ERR_ARM_INVALID_REQUEST: entry(400, 'InvalidRequestContent', {
    exit: 2,
    remedy: 'correct the named field',
  }),
  ERR_ARM_API_VERSION: entry(400, 'InvalidApiVersionParameter', {
    exit: 9,
    remedy: 'use one of the api-versions in the message',
  }),
  ERR_ARM_API_VERSION_MISSING: entry(400, 'MissingApiVersionParameter', {
    exit: 9,
    remedy: 'add the api-version query parameter',
  }),
  ERR_ARM_BODY_TOO_LARGE: entry(413, 'RequestEntityTooLarge', {
    exit: 2,
    remedy: 'send a smaller body',
  }),
  ERR_ARM_NOT_FOUND: entry(404, 'ResourceNotFound', {
    exit: 3,
    remedy: 'list what there is: sallyport list',
  }),
  ERR_ARM_GROUP_NOT_FOUND: entry(404, 'ResourceGroupNotFound', {
    exit: 3,
    remedy: 'list the resource groups: sallyport group list',
  }),
  ERR_ARM_SUBSCRIPTION_NOT_FOUND: entry(404, 'SubscriptionNotFound', {
    exit: 3,
    remedy: 'show the current subscription: sallyport account show',
  }),
  ERR_ARM_ROUTE_NOT_FOUND: entry(404, 'NotFound', {
    exit: 9,
    remedy: 'compare the versions of CLI and hub: sallyport version',
  }),
  ERR_ARM_CONFLICT: entry(409, 'Conflict', {
    exit: 8,
    remedy: 'look at the current state of the named resource',
  }),
  ERR_ARM_PRECONDITION: entry(412, 'PreconditionFailed', {
    exit: 8,
    remedy: 'read the resource again and repeat the change',
  }),

  ERR_STORE_FULL: entry(507, 'InsufficientStorage', {
    exit: 1,
    retryable: true,
    remedy: 'free space on the volume of the hub data directory; nothing was written',
  }),
  ERR_STORE_CORRUPT: entry(500, 'StoreCorrupt', {
    exit: 1,
    remedy: 'stop the hub and restore the data directory from a backup',
  }),
  ERR_STORE_SCHEMA_NEWER: entry(500, 'StoreSchemaNewer', {
    exit: 9,
    remedy: 'start the hub version that wrote this data directory, or a newer one',
  }),
  ERR_STORE_LOCKED: entry(503, 'StoreLocked', {
    exit: 8,
    retryable: true,
    remedy: 'stop the other hub that uses this data directory',
  }),

  ERR_HUB_UNREACHABLE: entry(503, 'ServiceUnavailable', {
    exit: 6,
    retryable: true,
    remedy: 'check that the hub runs and that its address and port are reachable from here',
  }),
  ERR_HUB_UNTRUSTED: entry(495, 'UntrustedCertificate', {
    exit: 5,
    remedy:
      'compare the fingerprint with the one the hub printed, then sign in with --hub-fingerprint',
  }),

  ERR_RELAY_UNREACHABLE: entry(503, 'ServiceUnavailable', {
    exit: 6,
    retryable: true,
    remedy: 'check that the relay address is reachable from here',
  }),
  ERR_RELAY_TOKEN_INVALID: entry(401, 'Unauthorized', {
    exit: 4,
    remedy: 'ask the hub for a new relay token; check the clocks of both machines',
  }),
  ERR_RELAY_FORBIDDEN: entry(403, 'Forbidden', {
    exit: 5,
    remedy: 'the token does not grant this right on this path; ask the hub for one that does',
  }),
  ERR_RELAY_NO_LISTENER: entry(404, 'EndpointNotFound', {
    exit: 6,
    retryable: true,
    remedy: 'start the agent of this cluster, then try again',
  }),
  ERR_RELAY_LISTENER_LIMIT: entry(409, 'ListenerLimit', {
    exit: 8,
    remedy: 'stop one of the listeners of this path',
  }),
  ERR_RELAY_RENDEZVOUS_EXPIRED: entry(403, 'RendezvousExpired', {
    exit: 6,
    retryable: true,
    remedy: 'connect again; a rendezvous address works once and for 30 seconds',
  }),
  ERR_RELAY_PROTOCOL: entry(400, 'BadRequest', {
    exit: 1,
    remedy: 'compare the versions of relay and client',
  }),
  ERR_RELAY_BUSY: entry(503, 'ServerBusy', {
    exit: 6,
    retryable: true,
    remedy: 'the relay is at its limit; try again, or add a relay node',
  }),

  ERR_CLUSTER_OFFLINE: entry(503, 'ClusterOffline', {
    exit: 6,
    retryable: true,
    remedy: 'start the agent of the cluster and look at its log',
  }),
  ERR_LINK_AGENT_KEY_CHANGED: entry(495, 'AgentKeyChanged', {
    exit: 5,
    remedy: 'find out why the key changed before you remove the line from known_clusters',
  }),
  ERR_LINK_HANDSHAKE: entry(502, 'BadGateway', {
    exit: 6,
    retryable: true,
    remedy: 'compare the versions of client and agent; look at the log of the agent',
  }),
  ERR_LINK_LOST: entry(502, 'BadGateway', {
    exit: 6,
    retryable: true,
    remedy: 'the connection to the agent broke; it is dialled again',
  }),
  ERR_BIND_REFUSED: entry(401, 'Unauthorized', {
    exit: 4,
    remedy: 'sign in again; check the clocks of this machine, the hub and the agent',
  }),
  ERR_BIND_CLOCK_SKEW: entry(401, 'ClockSkew', {
    exit: 4,
    remedy: 'set the clock of the machine that is off (use NTP), then try again',
  }),
  ERR_AGENT_BUSY: entry(503, 'ServerBusy', {
    exit: 6,
    retryable: true,
    remedy: 'the agent is at its limit of sessions; close some or add a replica',
  }),

  ERR_GUARD_IDENTITY: entry(403, 'Forbidden', {
    exit: 5,
    remedy:
      'the name of the principal or group may not be impersonated; rename it in the directory',
  }),
  // 403, as the API server answers a refused --as; of a 400 client-go drops the text.
  ERR_REQUEST_IMPERSONATION: entry(403, 'Forbidden', {
    exit: 5,
    remedy: 'remove --as, --as-group and --as-uid: the identity is the signed-in principal',
  }),
  ERR_REQUEST_INVALID: entry(400, 'BadRequest', {
    exit: 1,
    remedy: 'the request is not one a Kubernetes client makes; see docs/protocol.md',
  }),
  ERR_REQUEST_TOKEN_MISSING: entry(401, 'Unauthorized', {
    exit: 4,
    remedy:
      'this session was opened with --token: send the service account token with each request',
  }),
  ERR_UPSTREAM_UNREACHABLE: entry(502, 'BadGateway', {
    exit: 6,
    retryable: true,
    remedy: 'the agent cannot reach the API server: look at the log of the agent',
  }),
  ERR_UPSTREAM_AUTH: entry(502, 'BadGateway', {
    exit: 6,
    remedy: 'the API server refused the credentials of the agent: renew its kubeconfig',
  }),

  ERR_AGENT_UNKNOWN: entry(401, 'Unauthorized', {
    exit: 4,
    remedy: 'connect the cluster again: sallyport connectedk8s connect',
  }),
  ERR_ENROLMENT_REFUSED: entry(403, 'Forbidden', {
    exit: 5,
    remedy: 'onboarding keys work once and for 24 hours; connect the cluster again for a new one',
  }),
  ERR_CLUSTER_ALREADY_CONNECTED: entry(409, 'Conflict', {
    exit: 8,
    remedy: 'choose another name, or delete the connected cluster first',
  }),

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

/** One of the closed set of error codes. */
export type ErrorCode = keyof typeof errorRegistry
