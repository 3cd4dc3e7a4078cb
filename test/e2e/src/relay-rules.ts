/**
 * The shared access keys of a hub, and tokens made with them, as a client of the public protocol makes them.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { signSasToken } from '@sallyport/tunnel'
import type { HubInfo } from './hub-process.ts'

interface RelayKeys {
  rules: { name: string; key: string; rights: string[] }[]
}

/** A SAS token of the hub for one path; `lifetimeSeconds` may be negative. */
export function sasToken(
  hub: HubInfo,
  grant: { right: 'Listen' | 'Send'; path: string; lifetimeSeconds?: number },
): string {
  const { rules } = JSON.parse(
    readFileSync(join(hub.dataDirectory, 'keys', 'relay.json'), 'utf8'),
  ) as RelayKeys
  const rule = rules.find(({ rights }) => rights.includes(grant.right))
  if (rule === undefined) throw new Error(`no rule with the right ${grant.right}`)
  const resource = `http://${new URL(hub.url).host}/${grant.path}`
  return signSasToken(
    rule,
    resource,
    Math.floor(Date.now() / 1000) + (grant.lifetimeSeconds ?? 600),
  )
}
