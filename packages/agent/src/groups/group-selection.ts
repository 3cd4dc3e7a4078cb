/**
 * Which groups of an identity are sent: all of them, or, of many, those that a binding of the cluster names.
 * Leaving the others out cannot change a decision of RBAC, which looks at bindings only (docs/threat-model.md, the guard).
 * @module
 */
import { limits, SallyportError } from '@sallyport/protocol'
import { narrow, type Identity } from '../guard/guard.ts'
import { groupLinesBytes } from '../guard/impersonation-headers.ts'

/** What the cluster's bindings are known to name. */
export interface NamedGroups {
  /** Grows whenever a name comes or goes. */
  readonly version: number
  has(name: string): boolean
  /** Why an absent name means nothing now; undefined while it means that no binding names it. */
  problem(): SallyportError | undefined
}

/** Whether so few groups need no choice. */
export function areFew(groups: readonly string[]): boolean {
  if (groups.length > limits.guardGroups) return false
  const bytes = groups.reduce((sum, group) => sum + Buffer.byteLength(group, 'utf8'), 0)
  return bytes <= limits.guardGroupsBytes
}

function sameGroups(one: Identity, other: Identity): boolean {
  return (
    one.groups.length === other.groups.length &&
    one.groups.every((group, index) => group === other.groups[index])
  )
}

/** The identity to send of one with many groups; follows the bindings from request to request. */
export class GroupSelection {
  readonly #all: Identity
  readonly #named: NamedGroups
  #version: number | undefined
  #selected: Identity | undefined

  constructor(all: Identity, named: NamedGroups) {
    this.#all = all
    this.#named = named
  }

  /**
   * The identity of now; the same object for as long as the same groups are sent.
   * @throws SallyportError the problem of the bindings, or ERR_GUARD_IDENTITY when still too many groups remain.
   */
  current(): Identity {
    const problem = this.#named.problem()
    if (problem !== undefined) throw problem
    if (this.#selected === undefined || this.#version !== this.#named.version)
      this.#selected = this.#select()
    return this.#selected
  }

  #select(): Identity {
    const { version } = this.#named
    const selected = narrow(this.#all, (group) => this.#named.has(group))
    const bytes = groupLinesBytes(selected.groups)
    if (bytes > limits.impersonatedGroupsBytes)
      throw new SallyportError(
        'ERR_GUARD_IDENTITY',
        `role bindings of the cluster name ${selected.groups.length} of the ${this.#all.groups.length} groups of the principal: ` +
          `${bytes} bytes of headers, ${limits.impersonatedGroupsBytes} are the most the API server takes`,
        { remedy: 'bind roles to fewer of these groups, or to a group that contains them' },
      )
    this.#version = version
    const before = this.#selected
    return before !== undefined && sameGroups(before, selected) ? before : selected
  }
}
