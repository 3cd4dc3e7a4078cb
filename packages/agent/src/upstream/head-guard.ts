/**
 * Last look at every request head bound for the API server, as serialised, before its first byte leaves.
 * @module
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { countIdentityLines } from '../guard/impersonation-headers.ts'

/** What a head written to one connection must carry. */
export type HeadRule =
  /** The connection has the agent's credential: exactly this block of identity lines and no other. */
  | { kind: 'impersonating'; block: string; lines: number }
  /** The connection has no credential: no identity line at all. */
  | { kind: 'pass-through' }

/** Builds the rule of an impersonating connection from alternating header names and values. */
export function impersonatingRule(headers: readonly string[]): HeadRule {
  let block = '\r\n'
  for (let index = 0; index < headers.length; index += 2)
    block += `${headers[index] ?? ''}: ${headers[index + 1] ?? ''}\r\n`
  return { kind: 'impersonating', block, lines: headers.length / 2 }
}

/** Whether a serialised head obeys the rule. */
export function obeys(head: string, rule: HeadRule): boolean {
  if (rule.kind === 'pass-through') return countIdentityLines(head) === 0
  return (
    rule.block.startsWith('\r\nImpersonate-User: ') &&
    countIdentityLines(rule.block) === rule.lines &&
    countIdentityLines(head) === rule.lines &&
    head.includes(rule.block)
  )
}

interface SendHeaders {
  headers: string
  socket: Socket
}

function isSendHeaders(message: unknown): message is SendHeaders {
  return (
    typeof message === 'object' &&
    message !== null &&
    'headers' in message &&
    typeof message.headers === 'string' &&
    'socket' in message
  )
}

/**
 * Checks the heads of all watched connections (undici's `undici:client:sendHeaders` runs before the write). A violation
 * ends the process with code 70: a request with the agent's own authority must not exist (T-IMP-6).
 */
export class HeadGuard {
  readonly #rules = new WeakMap<object, HeadRule>()
  readonly #violation: (text: string) => void
  readonly #onSendHeaders = (message: unknown): void => {
    if (!isSendHeaders(message)) return
    const rule = this.#rules.get(message.socket)
    if (rule === undefined) return
    if (!this.check(message.headers, rule)) message.socket.destroy()
  }

  /** `violation` must not return in production; tests let it return, then the socket is destroyed unwritten. */
  constructor(options: { violation: (text: string) => void }) {
    this.#violation = options.violation
  }

  start(): void {
    subscribe('undici:client:sendHeaders', this.#onSendHeaders)
  }

  close(): void {
    unsubscribe('undici:client:sendHeaders', this.#onSendHeaders)
  }

  /** Every head undici writes to this socket must obey the rule. */
  watch(socket: object, rule: HeadRule): void {
    this.#rules.set(socket, rule)
  }

  /** Checks one serialised head; calls `violation` and returns false when it does not obey. */
  check(head: unknown, rule: HeadRule): boolean {
    if (typeof head === 'string' && obeys(head, rule)) return true
    this.#violation(`a request head to the API server does not carry the identity it must`)
    return false
  }
}
