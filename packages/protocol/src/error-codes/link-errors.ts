/**
 * Error codes on the way to a cluster: hub, relay, link, agent, guard, API server, enrolment.
 * @module
 */
import { entry, type ErrorEntry } from './entry.ts'

/** Codes of this area. */
export const linkErrors = {
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

  ERR_SESSION_ENDED: entry(403, 'SessionEnded', {
    exit: 5,
    remedy: 'the session was ended at the hub: ask its administrator why, then start a new one',
  }),
  ERR_SESSION_STALE: entry(401, 'SessionStale', {
    exit: 4,
    retryable: true,
    remedy: 'the rights of the session changed: a new token is fetched, or sign in again',
  }),
  ERR_AGENT_LEASE: entry(503, 'ServiceUnavailable', {
    exit: 6,
    retryable: true,
    remedy: 'the agent has lost the hub and lets nobody in until it hears from it again',
  }),
} as const satisfies Record<string, ErrorEntry>
