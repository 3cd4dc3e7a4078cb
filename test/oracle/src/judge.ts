/**
 * Compares what Go understood with what was meant. Knows nothing of the guard's code, only its promise.
 * @module
 */

/** The identity of an answer of the oracle: byte strings in base64. */
export interface Understood {
  user: string
  uid: string
  groups: string[]
  extra: Record<string, string[]>
  leaked: string[]
  method: string
  target: string
}

/** What was meant. */
export interface Meant {
  oid: unknown
  groups: unknown
  sid: string
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
const decode = (text: string): string => Buffer.from(text, 'base64').toString('utf8')

/** Kubernetes' own group for whoever it knows; the filter adds it. */
const authenticated = 'system:authenticated'

/** Whether a comparison that ignores case, width and spaces would take it for one of Kubernetes' own. */
function isReserved(name: string): boolean {
  return /^system(?::|$)/.test(name.normalize('NFKC').toLowerCase().trim())
}

/** What is wrong with an accepted identity; undefined when it is exactly the one meant. */
export function disagreement(meant: Meant, understood: Understood): string | undefined {
  if (typeof meant.oid !== 'string' || understood.user !== base64(meant.oid))
    return `user is ${JSON.stringify(decode(understood.user))}`
  if (meant.groups !== undefined && !Array.isArray(meant.groups)) return 'groups are no array'
  const wanted: string[] = []
  for (const group of (meant.groups ?? []) as unknown[]) {
    if (typeof group !== 'string') return 'a group is no string'
    wanted.push(group)
  }
  const groups = understood.groups.slice()
  if (groups.pop() !== base64(authenticated)) return 'the group of the API server is not last'
  const expected = wanted.map(base64).sort()
  if (JSON.stringify(groups.slice().sort()) !== JSON.stringify(expected))
    return `groups are ${JSON.stringify(groups.map(decode))}`
  const names = [understood.user, ...groups].map(decode)
  if (names.some((name) => name === '' || isReserved(name)))
    return `reserved: ${JSON.stringify(names)}`
  if (understood.uid !== '') return 'there is a uid'
  const extra = JSON.stringify({ 'sallyport.dev/sid': [base64(meant.sid)] })
  if (JSON.stringify(understood.extra) !== extra)
    return `extra is ${JSON.stringify(understood.extra)}`
  if (understood.leaked.length > 0) return `headers arrived: ${understood.leaked.join(', ')}`
  return undefined
}
