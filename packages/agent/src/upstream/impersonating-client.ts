/**
 * Sends requests with the agent's credential and exactly one guarded identity. The only user of `AgentCredential` on the
 * request path; it cannot be made without an identity (CVE-2026-23990, CVE-2023-48312).
 * @module
 */
import type { ClientRequest } from 'node:http'
import { SallyportError } from '@sallyport/protocol'
import type { Dispatcher, Pool } from 'undici'
import type { Identity } from '../guard/guard.ts'
import { impersonationHeaders } from '../guard/impersonation-headers.ts'
import {
  createPool,
  sendUpgrade,
  type TlsSettings,
  type UpstreamClient,
  type UpstreamRequest,
} from './client.ts'
import { impersonatingRule, type HeadGuard, type HeadRule } from './head-guard.ts'
import type { UpstreamTarget } from './target.ts'

/** Client of one identity; its connections serve no other. */
export class ImpersonatingClient implements UpstreamClient {
  readonly kind = 'impersonating'
  readonly #target: UpstreamTarget
  readonly #guard: HeadGuard
  readonly #identity: readonly string[]
  readonly #rule: HeadRule
  readonly #tls: TlsSettings
  readonly #pool: Pool

  constructor(options: { target: UpstreamTarget; identity: Identity; guard: HeadGuard }) {
    const { target, identity } = options
    if (typeof identity.user !== 'string' || identity.user.trim() === '')
      throw new SallyportError('ERR_GUARD_IDENTITY', 'there is no identity to act under')
    this.#target = target
    this.#guard = options.guard
    this.#identity = impersonationHeaders(identity)
    this.#rule = impersonatingRule(this.#identity)
    const { certificate } = target.credential
    this.#tls = {
      ...(target.address.ca === undefined ? {} : { ca: target.address.ca }),
      ...(target.address.serverName === undefined ? {} : { servername: target.address.serverName }),
      ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
    }
    this.#pool = createPool({
      address: target.address,
      tls: this.#tls,
      guard: this.#guard,
      rule: this.#rule,
    })
  }

  send(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void {
    this.#addOwnHeaders(request)
    this.#pool.dispatch(
      {
        method: request.method,
        path: this.#target.address.pathPrefix + request.target,
        headers: request.headers,
        body: request.body,
        headersTimeout: request.headersTimeoutMs,
        // Without this undici gives up the connection after a DELETE with a body, which kubectl always sends.
        ...(request.body === null ? {} : { reset: false }),
      },
      handler,
    )
  }

  upgrade(request: UpstreamRequest): ClientRequest {
    this.#addOwnHeaders(request)
    return sendUpgrade({
      address: this.#target.address,
      tls: this.#tls,
      guard: this.#guard,
      rule: this.#rule,
      request,
    })
  }

  async retire(): Promise<void> {
    // Destroying it meanwhile is fine.
    await this.#pool.close().catch(() => undefined)
  }

  destroy(): void {
    void this.#pool.destroy()
  }

  #addOwnHeaders(request: UpstreamRequest): void {
    const authorization = this.#target.credential.authorization()
    if (authorization !== undefined) request.headers.push('Authorization', authorization)
    request.headers.push(...this.#identity)
  }
}
