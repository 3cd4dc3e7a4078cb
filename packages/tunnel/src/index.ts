/**
 * How it is carried: rendezvous, link and session. Never logs; tells its users by callbacks.
 * @module
 */
export { acceptAgentLink, type AgentLink, type AgentLinkOptions } from './link/agent-link.ts'
export type { BindDecision, BindPeer, BoundSession, LinkStream } from './link/bind-gate.ts'
export { openClientLink, type ClientLink, type ClientLinkOptions } from './link/client-link.ts'
export {
  ClientSession,
  type ClientSessionOptions,
  type SessionState,
} from './link/client-session.ts'
export type { DialRendezvous } from './link/connect-link.ts'
export { createLinkIdentity, loadLinkIdentity, type LinkIdentity } from './link/identity.ts'
export type { LinkEnd } from './link/link-life.ts'
export { BackOff, type BackOffOptions } from './rendezvous/back-off.ts'
export { dialRendezvous, type DialRendezvousOptions } from './rendezvous/dial-rendezvous.ts'
export { dialSocket, type DialOptions, type DialSettings } from './rendezvous/dial-socket.ts'
export { proxyFromEnvironment, type ProxySettings } from './rendezvous/proxy-settings.ts'
export {
  RendezvousListener,
  type ListenerState,
  type RendezvousListenerOptions,
} from './rendezvous/rendezvous-listener.ts'
export type { Rendezvous, RendezvousMode } from './rendezvous/rendezvous.ts'
export {
  coversPath,
  signSasToken,
  verifySasToken,
  type SasKey,
  type SasTokenCheck,
  type VerifiedSasToken,
} from './rendezvous/sas-token.ts'
