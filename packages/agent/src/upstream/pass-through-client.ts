/**
 * Sends requests with the caller's own service account token. It takes an address, so it has no credential to lend.
 * @module
 */
import type { ClientRequest } from 'node:http'
import { SallyportError } from '@sallyport/protocol'
import type { Dispatcher, Pool } from 'undici'
import {
  createPool,
  sendUpgrade,
  type TlsSettings,
  type UpstreamClient,
  type UpstreamRequest,
} from './client.ts'
import type { HeadGuard, HeadRule } from './head-guard.ts'
import type { UpstreamAddress } from './target.ts'

// RFC 6750 section 2.1; an empty or odd token must not reach an API server with anonymous access (CVE-2023-48312).
const bearerToken = /^[Bb]earer [A-Za-z0-9\-._~+/]+=*$/

const rule: HeadRule = { kind: 'pass-through' }

/** Client of one session that brings its own token with each request. */
export class PassThroughClient implements UpstreamClient {
  readonly kind = 'pass-through'
  readonly #address: UpstreamAddress
  readonly #guard: HeadGuard
  readonly #tls: TlsSettings
  readonly #pool: Pool

  constructor(options: { address: UpstreamAddress; guard: HeadGuard }) {
    this.#address = options.address
    this.#guard = options.guard
    this.#tls = {
      ...(this.#address.ca === undefined ? {} : { ca: this.#address.ca }),
      ...(this.#address.serverName === undefined ? {} : { servername: this.#address.serverName }),
    }
    this.#pool = createPool({ address: this.#address, tls: this.#tls, guard: this.#guard, rule })
  }

  send(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void {
    addToken(request)
    this.#pool.dispatch(
      {
        method: request.method,
        path: this.#address.pathPrefix + request.target,
        headers: request.headers,
        body: request.body,
        headersTimeout: request.headersTimeoutMs,
        ...(request.body === null ? {} : { reset: false }),
      },
      handler,
    )
  }

  upgrade(request: UpstreamRequest): ClientRequest {
    addToken(request)
    return sendUpgrade({
      address: this.#address,
      tls: this.#tls,
      guard: this.#guard,
      rule,
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
}

function addToken(request: UpstreamRequest): void {
  const { authorization } = request
  if (authorization === undefined || !bearerToken.test(authorization))
    throw new SallyportError(
      'ERR_REQUEST_TOKEN_MISSING',
      'the request carries no service account token',
    )
  request.headers.push('Authorization', authorization)
}
