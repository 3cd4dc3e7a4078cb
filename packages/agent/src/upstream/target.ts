/**
 * The one API server an agent forwards to. The address carries no credential; the credential is a separate object.
 * @module
 */
import type { AgentCredential } from './credential.ts'

/** How to reach and verify the API server; safe to use for requests that bring their own token. */
export interface UpstreamAddress {
  /** `https://host:port`. */
  readonly origin: string
  readonly hostname: string
  readonly port: number
  /** Path prefix of the `server` of the kubeconfig, without trailing slash; mostly empty. */
  readonly pathPrefix: string
  /** Certificate authorities, PEM; the system's when undefined. */
  readonly ca: string | undefined
  /** Name the certificate is verified against when it is not the host name. */
  readonly serverName: string | undefined
  /** False only with the flag that says it is dangerous. */
  readonly verify: boolean
}

/** Address and the agent's own credential; only the impersonating client and the agent's reports take one. */
export interface UpstreamTarget {
  readonly address: UpstreamAddress
  readonly credential: AgentCredential
}
