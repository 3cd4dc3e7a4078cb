/**
 * Tickets between the token endpoint and the provider behind it: a client that proved itself by an assertion gets one in place of a
 * secret, for the one call that follows.
 * @module
 */
import { randomBytes } from 'node:crypto'

/** Tickets in use: no more than token requests under way. */
export class ClientTickets {
  readonly #clients = new Map<string, string>()

  /** Calls `run` with a ticket that is good until it ends. */
  async lend<T>(clientId: string, run: (ticket: string) => Promise<T>): Promise<T> {
    const ticket = randomBytes(32).toString('base64url')
    this.#clients.set(ticket, clientId)
    try {
      return await run(ticket)
    } finally {
      this.#clients.delete(ticket)
    }
  }

  /** Whether `secret` is a ticket of this client; it is good once. */
  take(clientId: string, secret: string): boolean {
    if (this.#clients.get(secret) !== clientId) return false
    return this.#clients.delete(secret)
  }
}
