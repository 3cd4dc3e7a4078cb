/**
 * The part of an API server that lists and watches bindings, saying what the test wants.
 * @module
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { makeCertificate } from './certificate.ts'

/** One binding with the groups it names. */
export interface TestBinding {
  name: string
  namespace?: string
  groups: string[]
}

const kinds = ['clusterrolebindings', 'rolebindings'] as const
type Kind = (typeof kinds)[number]

function toObject({ name, namespace, groups }: TestBinding, version: number): object {
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      resourceVersion: `${version}`,
    },
    subjects: [
      { kind: 'User', name: 'somebody' },
      { kind: 'Group', name: 'system:masters' },
      ...groups.map((group) => ({ kind: 'Group', name: group })),
    ],
  }
}

/** HTTPS server on a free port of 127.0.0.1. */
export class BindingsServer {
  readonly certificate: string
  readonly port: number
  readonly bindings: Record<Kind, TestBinding[]> = { clusterrolebindings: [], rolebindings: [] }
  /** Requests so far, without the path of the group. */
  readonly requests: string[] = []
  /** Status of every answer but 200. */
  refusal: number | undefined
  pageSize = 500
  version = 100
  readonly #server: Server
  readonly #watches: Record<Kind, Set<ServerResponse>> = {
    clusterrolebindings: new Set(),
    rolebindings: new Set(),
  }

  private constructor(server: Server, certificate: string) {
    this.#server = server
    this.certificate = certificate
    this.port = (server.address() as AddressInfo).port
  }

  static async start(): Promise<BindingsServer> {
    const { certificate, key } = await makeCertificate('kubernetes')
    const server = createServer({ cert: certificate, key })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const bindings = new BindingsServer(server, certificate)
    server.on('request', (request, response) => {
      bindings.#answer(request.url ?? '', response)
    })
    return bindings
  }

  /** Watches that are open. */
  get watches(): number {
    return kinds.reduce((sum, kind) => sum + this.#watches[kind].size, 0)
  }

  /** Writes an event to every watch of a kind. */
  event(kind: Kind, type: string, object: object): void {
    for (const watch of this.#watches[kind]) watch.write(`${JSON.stringify({ type, object })}\n`)
  }

  change(kind: Kind, type: 'ADDED' | 'MODIFIED' | 'DELETED', binding: TestBinding): void {
    const others = this.bindings[kind].filter(({ name }) => name !== binding.name)
    this.bindings[kind] = type === 'DELETED' ? others : [...others, binding]
    this.event(kind, type, toObject(binding, ++this.version))
  }

  /** Ends every watch, in order or by breaking the connection. */
  endWatches(how: 'end' | 'destroy' = 'end'): void {
    for (const kind of kinds) for (const watch of this.#watches[kind]) watch[how]()
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  #answer(url: string, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'https://x')
    const kind = kinds.find((one) => pathname === `/apis/rbac.authorization.k8s.io/v1/${one}`)
    this.requests.push(url.replace('/apis/rbac.authorization.k8s.io/v1/', ''))
    if (this.refusal !== undefined || kind === undefined) {
      response.writeHead(this.refusal ?? 404).end('{}')
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    if (searchParams.get('watch') !== '1') {
      response.end(JSON.stringify(this.#page(kind, Number(searchParams.get('continue') ?? 0))))
      return
    }
    response.flushHeaders()
    this.#watches[kind].add(response)
    response.once('close', () => this.#watches[kind].delete(response))
  }

  #page(kind: Kind, from: number): object {
    const all = this.bindings[kind]
    const more = from + this.pageSize < all.length ? { continue: `${from + this.pageSize}` } : {}
    const items = all.slice(from, from + this.pageSize)
    return {
      metadata: { resourceVersion: `${this.version}`, ...more },
      items: items.map((binding) => toObject(binding, this.version)),
    }
  }
}
