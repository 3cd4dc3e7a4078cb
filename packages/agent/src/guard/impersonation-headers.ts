/**
 * The identity as header bytes. The only file of the package that names an Impersonate header to be sent (a test greps).
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import type { Identity } from './guard.ts'

/**
 * Name of the extra `sallyport.dev/sid`: a header name cannot carry `/`, kube-apiserver decodes `%2F`
 * (apiserver filters/impersonation.go: unescapeExtraKey; client-go transport: headerKeyEscape).
 */
const sessionExtra = 'Impersonate-Extra-sallyport.dev%2Fsid'

/** UTF-8 bytes as a Latin-1 string: what Node writes byte for byte (M12: a string outside Latin-1 throws). */
function wire(value: string): string {
  const text = Buffer.from(value, 'utf8').toString('latin1')
  if (text.trim() === '' || /[\r\n\0]/.test(text))
    throw new SallyportError('ERR_GUARD_IDENTITY', 'the identity cannot be written as a header')
  return text
}

/**
 * Header names and values, alternating, of one identity: one user, sorted groups, the session id.
 * @throws SallyportError ERR_GUARD_IDENTITY when a value would be empty or break out of its line.
 */
export function impersonationHeaders(identity: Identity): string[] {
  const headers = ['Impersonate-User', wire(identity.user)]
  for (const group of identity.groups) headers.push('Impersonate-Group', wire(group))
  headers.push(sessionExtra, wire(identity.sessionId))
  return headers
}

const groupLineBytes = Buffer.byteLength('Impersonate-Group: \r\n')

/** Bytes the header lines of these groups take. */
export function groupLinesBytes(groups: readonly string[]): number {
  return groups.reduce((sum, group) => sum + groupLineBytes + Buffer.byteLength(group, 'utf8'), 0)
}

/** Line starts that carry, or could be taken for, an identity (`_` is `-` to some servers). */
const identityLine = /\r\nimpersonate[-_]/gi

/** Number of identity header lines in a serialised request head. */
export function countIdentityLines(head: string): number {
  return head.match(identityLine)?.length ?? 0
}

/** Whether a header name is, or could be taken for, an Impersonate header. */
export function isImpersonation(lowerCaseName: string): boolean {
  return /^[^a-z0-9]*impersonate(?:$|[^a-z0-9])/.test(lowerCaseName)
}
