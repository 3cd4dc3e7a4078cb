/**
 * Requests per minute by key, in fixed windows; bounded memory.
 * @module
 */

const windowMs = 60_000

/** Counts requests. */
export interface RateLimit {
  /** Counts one request of `key`; when it is over the limit: seconds until the next may come. */
  take: (key: string) => number | undefined
  /** Forgets what was counted of `key`. */
  clear: (key: string) => void
}

/** Makes a limit of `perMinute`; at most `keys` are remembered, the oldest window goes first. */
export function createRateLimit(options: {
  perMinute: number
  keys: number
  now: () => number
}): RateLimit {
  const windows = new Map<string, { count: number; endsAt: number }>()
  return {
    clear: (key) => {
      windows.delete(key)
    },
    take: (key) => {
      const now = options.now()
      const open = windows.get(key)
      if (open !== undefined && open.endsAt > now) {
        open.count += 1
        if (open.count <= options.perMinute) return undefined
        return Math.max(1, Math.ceil((open.endsAt - now) / 1000))
      }
      windows.delete(key)
      const [oldest] = windows.keys()
      if (windows.size >= options.keys && oldest !== undefined) windows.delete(oldest)
      windows.set(key, { count: 1, endsAt: now + windowMs })
      return undefined
    },
  }
}

/** The key of an address: an IPv6 host owns a whole /64, so that counts as one. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!address.includes(':')) return address
  const [head = '', tail = ''] = address.split('%')[0]?.split('::') ?? []
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const zeros = address.includes('::')
    ? Array<string>(8 - left.length - right.length).fill('0')
    : []
  return [...left, ...zeros, ...right].slice(0, 4).join(':')
}
