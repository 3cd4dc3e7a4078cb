/**
 * How it is carried: rendezvous, link and session. Never logs; tells its users by callbacks.
 * @module
 */
export { acceptAgentLink, type AgentLink, type AgentLinkOptions } from './link/agent-link.ts'
export type { BindDecision, BoundSession, LinkStream } from './link/bind-gate.ts'
export { openClientLink, type ClientLink, type ClientLinkOptions } from './link/client-link.ts'
export { createLinkIdentity, loadLinkIdentity, type LinkIdentity } from './link/identity.ts'
export type { LinkEnd } from './link/link-life.ts'
