/**
 * The groups that (Cluster)RoleBindings of the cluster name, counted: nothing else of a binding is kept.
 * @module
 */
import { limits } from '@sallyport/protocol'

/** Names of groups with the number of bindings that name them. */
export class BoundGroups {
  readonly #counts = new Map<string, number>()
  readonly #byBinding = new Map<string, readonly string[]>()
  #version = 0
  #overflowed = false

  /** Grows whenever a name comes or goes; equal numbers mean equal names. */
  get version(): number {
    return this.#version
  }

  /** Different names there are. */
  get size(): number {
    return this.#counts.size
  }

  /** There were more names than are kept: an absent name means nothing from then on. */
  get overflowed(): boolean {
    return this.#overflowed
  }

  has(name: string): boolean {
    return this.#counts.has(name)
  }

  /** Takes the groups one binding names now, whatever it named before. */
  set(binding: string, groups: readonly string[]): void {
    const before = this.#byBinding.get(binding) ?? []
    const kept = Array.from(new Set(groups)).filter((name) => this.#count(name))
    if (kept.length === 0) this.#byBinding.delete(binding)
    else this.#byBinding.set(binding, kept)
    // The new ones first: a name that stays never goes.
    for (const name of before) this.#uncount(name)
  }

  delete(binding: string): void {
    this.set(binding, [])
  }

  /** Forgets every binding whose key starts with `prefix` and is not one of `present`. */
  retain(prefix: string, present: ReadonlySet<string>): void {
    for (const binding of this.#byBinding.keys())
      if (binding.startsWith(prefix) && !present.has(binding)) this.delete(binding)
  }

  #count(name: string): boolean {
    const count = this.#counts.get(name) ?? 0
    if (count === 0) {
      if (this.#counts.size >= limits.boundGroups) {
        this.#overflowed = true
        return false
      }
      this.#version++
    }
    this.#counts.set(name, count + 1)
    return true
  }

  #uncount(name: string): void {
    const count = this.#counts.get(name) ?? 0
    if (count > 1) this.#counts.set(name, count - 1)
    else if (this.#counts.delete(name)) this.#version++
  }
}
