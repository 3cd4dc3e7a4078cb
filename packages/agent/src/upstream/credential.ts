/**
 * The agent's own credential at the API server: a client certificate, a fixed token or a token file that rotates.
 * @module
 */
import { readFileSync } from 'node:fs'
import { SallyportError } from '@sallyport/protocol'

/** Client certificate and key, PEM. */
export interface ClientCertificate {
  readonly certificate: string
  readonly key: string
}

/** Where the credential comes from; at least one member is set. */
export interface CredentialSource {
  certificate?: ClientCertificate
  token?: string
  tokenFile?: string
}

/** A token file is read again after this time: kubelet rotates projected tokens. */
const rereadAfterMs = 60_000

// RFC 6750 section 2.1: b64token.
const bearer = /^[A-Za-z0-9\-._~+/]+=*$/

/** Holds the credential; the token never leaves but through `authorization()`. */
export class AgentCredential {
  readonly certificate: ClientCertificate | undefined
  readonly #file: string | undefined
  readonly #now: () => number
  #header: string | undefined
  #readAt = Number.NEGATIVE_INFINITY

  constructor(source: CredentialSource, now: () => number = () => performance.now()) {
    this.certificate = source.certificate
    this.#file = source.tokenFile
    this.#now = now
    if (source.token !== undefined) this.#header = asHeader(source.token)
  }

  /**
   * Value of the Authorization header, undefined when a client certificate authenticates. Keeps the last good token while the
   * file is empty or unreadable (it is being rotated).
   * @throws SallyportError ERR_UPSTREAM_AUTH when there has never been a good one: never a request without credential (X056).
   */
  authorization(): string | undefined {
    if (this.#file !== undefined && this.#now() - this.#readAt >= rereadAfterMs) this.#reread()
    if (this.#header === undefined && this.certificate === undefined)
      throw new SallyportError('ERR_UPSTREAM_AUTH', 'the agent has no readable token of its own')
    return this.#header
  }

  #reread(): void {
    const header = readHeader(this.#file ?? '')
    if (header === undefined) return
    this.#header = header
    this.#readAt = this.#now()
  }
}

function asHeader(token: string): string | undefined {
  return bearer.test(token) ? `Bearer ${token}` : undefined
}

function readHeader(path: string): string | undefined {
  try {
    return asHeader(readFileSync(path, 'utf8').trim())
  } catch {
    return undefined
  }
}
