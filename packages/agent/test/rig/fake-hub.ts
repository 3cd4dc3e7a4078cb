/**
 * A hub that says what the test wants, also what no hub would: the real one is met in the end-to-end scenarios.
 * @module
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { makeCertificate } from './certificate.ts'

/** One received call. */
export interface HubCall {
  path: string
  authorization: string | undefined
  body: unknown
}

/** Status and body of an answer; undefined breaks the connection. */
export type HubAnswer = (call: HubCall) => { status: number; body: unknown } | undefined

/** HTTPS server on a free port of 127.0.0.1. */
export class FakeHub {
  readonly calls: HubCall[] = []
  readonly certificate: string
  readonly origin: string
  answer: HubAnswer = () => ({ status: 404, body: {} })
  readonly #server: Server

  private constructor(server: Server, certificate: string) {
    this.#server = server
    this.certificate = certificate
    this.origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async start(): Promise<FakeHub> {
    const { certificate, key } = await makeCertificate('hub')
    const server = createServer({ cert: certificate, key })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const hub = new FakeHub(server, certificate)
    server.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { authorization } = request.headers
        const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
        const call = { path: request.url ?? '', authorization, body }
        hub.calls.push(call)
        const answer = hub.answer(call)
        if (answer === undefined) request.socket.destroy()
        else {
          response.writeHead(answer.status, { 'content-type': 'application/json' })
          response.end(JSON.stringify(answer.body))
        }
      })
    })
    return hub
  }

  /** Calls of one path so far. */
  to(path: string): HubCall[] {
    return this.calls.filter((call) => call.path === path)
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}
