/**
 * The entries `proxy` writes: built here from typed fields, marked as ours; nothing the hub said can become a command or a path (T-KCFG-1).
 * @module
 */
import { stringify } from 'yaml'
import type { Entries } from './insert.ts'

/** Name of the extension that marks an entry as ours. */
export const markName = 'sallyport.dev'

/** What the entries say. */
export interface ProxyAccess {
  /** Name of the context; cluster and user are called after it. */
  context: string
  server: string
  /** PEM. */
  ca: string
  clientCertificate: string
  clientKey: string
  /** Service account token. */
  token?: string
  /** Id of the proxy, in the mark. */
  proxyId: string
  pid: number
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** The three entries. */
export function proxyEntries(access: ProxyAccess): Entries {
  const extensions = [{ name: markName, extension: { proxy: access.proxyId, pid: access.pid } }]
  const own = `sallyport-${access.context}`
  return {
    clusters: {
      name: own,
      cluster: {
        server: access.server,
        'certificate-authority-data': base64(access.ca),
        extensions,
      },
    },
    contexts: { name: access.context, context: { cluster: own, user: own, extensions } },
    users: {
      name: own,
      user: {
        'client-certificate-data': base64(access.clientCertificate),
        'client-key-data': base64(access.clientKey),
        ...(access.token === undefined ? {} : { token: access.token }),
        extensions,
      },
    },
  }
}

/** A whole kubeconfig of these entries. */
export function proxyKubeconfig(access: ProxyAccess): string {
  const { clusters, contexts, users } = proxyEntries(access)
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [clusters],
    contexts: [contexts],
    users: [users],
    'current-context': access.context,
  }
  return stringify(document, { indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false })
}

/** Names the entries of a context take, by list. */
export const proxyEntryNames = (context: string) => ({
  clusters: `sallyport-${context}`,
  contexts: context,
  users: `sallyport-${context}`,
})

const bodies: Record<string, string> = { clusters: 'cluster', contexts: 'context', users: 'user' }

/** Id of the proxy that wrote an entry, undefined for entries of others. */
export function markOf(entry: Record<string, unknown>, list: string): string | undefined {
  const body = entry[bodies[list] ?? '']
  const extensions = isRecord(body) ? body['extensions'] : undefined
  if (!Array.isArray(extensions)) return undefined
  for (const item of extensions as unknown[]) {
    if (!isRecord(item) || item['name'] !== markName || !isRecord(item['extension'])) continue
    const { proxy } = item['extension']
    if (typeof proxy === 'string') return proxy
  }
  return undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
