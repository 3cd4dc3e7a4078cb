/**
 * Which names of users and groups may ever reach Kubernetes. One list for the hub, which refuses such a name at the door, and for
 * the guard of the agent, which trusts no hub.
 * @module
 */
import { fold, looksLikePart, looksLikeStart } from './fold.ts'
import { limits } from './limits.ts'

/** Names (folded) nobody may take: Kubernetes' own, the cloud providers' own, ours. */
const reservedStarts = ['system:', 'kubeadm:', 'eks:', 'aks-', 'aks:', 'gke:', 'cc:', 'sallyport:']
const reservedParts = [':masters', 'kubeadm:cluster-admins']
const reservedNames = ['system']

// Other, unassigned and surrogate characters, and every separator but the plain space.
const unprintable = /\p{C}|(?! )\p{Z}/u

/** Why this may not be the name of a user or group in a cluster, in words that follow its name; undefined when it may. */
export function nameProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'it is not a string'
  const bytes = new TextEncoder().encode(value).length
  if (bytes < 1) return 'it is empty'
  if (bytes > limits.guardNameBytes) return `it is longer than ${limits.guardNameBytes} bytes`
  if (!value.isWellFormed()) return 'it is not well-formed Unicode'
  if (value !== value.normalize('NFC')) return 'it is not in normal form C'
  if (unprintable.test(value)) return 'it has an unprintable character'
  // M7: Go trims header values, so a name with a space at an end arrives as another name.
  if (value.startsWith(' ') || value.endsWith(' ')) return 'it begins or ends with a space'
  if (value.includes(',')) return 'it has a comma'
  return isReserved(fold(value)) ? 'it is, or looks like, a reserved name' : undefined
}

function isReserved(folded: string): boolean {
  return (
    folded === '' ||
    reservedNames.includes(folded) ||
    reservedStarts.some((start) => looksLikeStart(folded, start)) ||
    reservedParts.some((part) => looksLikePart(folded, part))
  )
}
