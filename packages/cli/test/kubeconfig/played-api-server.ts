/**
 * As much of an API server as `connect` and `delete` speak to, over real TLS; it keeps RBAC objects and can refuse.
 * @module
 */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { rbacFieldManager, type RbacMetadata } from '@sallyport/protocol'
import { createLocalCertificates } from '../../src/proxy/certificates.ts'

/** An object: path of its list in all namespaces, and metadata. */
interface Kept {
  list: string
  path: string
  metadata: RbacMetadata
}

/** The server and its handles. */
export interface PlayedApiServer {
  objects: Kept[]
  /** `METHOD path` of each request, in order. */
  requests: string[]
  /** Status of requests whose line it matches, in place of the answer. */
  refuse: ((line: string) => number | undefined) | undefined
  /** Runs after a list was answered. */
  afterList: (() => void) | undefined
  /** Adds an object at a path below the RBAC group, as the agent or as somebody else applied it. */
  keep: (path: string, manager?: string, labels?: Record<string, string>) => void
  names: () => string[]
  /** Writes a kubeconfig, and returns its path. */
  kubeconfig: (path: string) => string
  stop: () => Promise<void>
}

const group = '/apis/rbac.authorization.k8s.io/v1'
const token = 'a-token-of-the-test'
let uids = 0

/** Starts one on a free port; it answers lists in pages of two. */
export async function startPlayedApiServer(): Promise<PlayedApiServer> {
  const certificates = await createLocalCertificates()
  const server = createServer({
    key: certificates.serverKey,
    cert: certificates.serverCertificate,
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const played: PlayedApiServer = {
    objects: [],
    requests: [],
    refuse: undefined,
    afterList: undefined,
    keep: (path, manager = rbacFieldManager, labels = {}) => {
      played.objects.push(keptObject(path, manager, labels))
    },
    names: () => played.objects.map(({ metadata }) => metadata.name),
    kubeconfig: (path) => {
      writeFileSync(path, JSON.stringify(kubeconfigOf(url, certificates.ca)))
      return path
    },
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  server.on('request', (request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const line = `${request.method ?? ''} ${decodeURIComponent(request.url ?? '')}`
      played.requests.push(line)
      const { status, body } =
        request.headers.authorization === `Bearer ${token}`
          ? answer(played, { line, text })
          : { status: 401, body: { message: 'who are you?' } }
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    })
  })
  return played
}

function keptObject(path: string, manager: string, labels: Record<string, string>): Kept {
  const [, namespace] = /^namespaces\/([^/]+)\//.exec(path) ?? []
  const [plural = '', name = ''] = path.replace(/^namespaces\/[^/]+\//, '').split('/')
  return {
    list: `${group}/${plural}`,
    path: `${group}/${path}`,
    metadata: {
      name,
      uid: `uid-${++uids}`,
      labels,
      managedFields: [{ manager, operation: 'Apply' }],
      ...(namespace === undefined ? {} : { namespace }),
    },
  }
}

const kubeconfigOf = (server: string, ca: string) => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'admin',
  clusters: [
    {
      name: 'c',
      cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
    },
  ],
  users: [{ name: 'u', user: { token } }],
  contexts: [{ name: 'admin', context: { cluster: 'c', user: 'u' } }],
})

function answer(
  played: PlayedApiServer,
  { line, text }: { line: string; text: string },
): { status: number; body: unknown } {
  const refusal = played.refuse?.(line)
  if (refusal !== undefined) return { status: refusal, body: { message: 'not as you wish' } }
  const [method = '', address = ''] = line.split(' ')
  const { pathname, searchParams } = new URL(address, 'https://api')
  if (pathname === '/version') return { status: 200, body: { gitVersion: 'v1.34.1' } }
  if (pathname === '/api/v1/namespaces/kube-system')
    return { status: 200, body: { metadata: { uid: 'uid-of-kube-system' } } }
  if (pathname.endsWith('/selfsubjectaccessreviews'))
    return { status: 201, body: { status: { allowed: true } } }
  if (method === 'DELETE') return remove(played, pathname, text)
  if (method !== 'GET' || !pathname.startsWith(`${group}/`)) return { status: 404, body: {} }
  const all = played.objects.filter(({ list }) => list === pathname)
  const from = Number(searchParams.get('continue') ?? 0)
  const body = {
    metadata: from + 2 < all.length ? { continue: String(from + 2) } : {},
    items: all.slice(from, from + 2).map(({ metadata }) => ({ metadata })),
  }
  played.afterList?.()
  return { status: 200, body }
}

function remove(played: PlayedApiServer, path: string, text: string) {
  const index = played.objects.findIndex((object) => object.path === path)
  if (index === -1) return { status: 404, body: { message: 'not found' } }
  const { preconditions } = JSON.parse(text) as { preconditions: { uid: string } }
  if (played.objects[index]?.metadata.uid !== preconditions.uid)
    return { status: 409, body: { message: 'another object has this name' } }
  played.objects.splice(index, 1)
  return { status: 200, body: { status: 'Success' } }
}
