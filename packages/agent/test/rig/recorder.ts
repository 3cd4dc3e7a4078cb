/**
 * An upstream that records the exact bytes of each connection and answers what the test says. It parses nothing.
 * @module
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { makeCertificate } from './certificate.ts'

/** What to write back once a whole head has arrived; undefined says nothing. */
export type Answer = (head: string, socket: TLSSocket) => string | Buffer | undefined

/** A TLS server on a free port of 127.0.0.1. */
export class Recorder {
  readonly certificate: string
  readonly port: number
  /** Bytes of each connection, Latin-1, in order of opening. */
  readonly connections: string[] = []
  readonly sockets = new Set<TLSSocket>()
  answer: Answer = () => ok('{}')
  #heads = 0
  readonly #server: Server

  private constructor(server: Server, certificate: string) {
    this.#server = server
    this.certificate = certificate
    this.port = (server.address() as AddressInfo).port
  }

  static async start(): Promise<Recorder> {
    const { certificate, key } = await makeCertificate()
    const server = createServer({ cert: certificate, key, ALPNProtocols: ['http/1.1'] })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const recorder = new Recorder(server, certificate)
    server.on('secureConnection', (socket) => {
      recorder.#record(socket)
    })
    server.on('tlsClientError', () => undefined)
    return recorder
  }

  /** Everything that arrived, all connections together. */
  get bytes(): string {
    return this.connections.join('')
  }

  /** Whole request heads that arrived. */
  get heads(): number {
    return this.#heads
  }

  reset(): void {
    for (const socket of this.sockets) socket.destroy()
    this.connections.length = 0
    this.#heads = 0
    this.answer = () => ok('{}')
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #record(socket: TLSSocket): void {
    const index = this.connections.push('') - 1
    this.sockets.add(socket)
    let seen = 0
    socket.setEncoding('latin1')
    socket.on('error', () => undefined)
    socket.on('close', () => this.sockets.delete(socket))
    socket.on('data', (text: string) => {
      this.connections[index] = (this.connections[index] ?? '') + text
      const all = this.connections[index] ?? ''
      for (;;) {
        const end = all.indexOf('\r\n\r\n', seen)
        if (end === -1) return
        const head = all.slice(seen, end + 4)
        seen = end + 4
        if (!/^[A-Z]+ \//.test(head)) continue
        this.#heads++
        const answer = this.answer(head, socket)
        if (answer !== undefined) socket.write(answer)
      }
    })
  }
}

/** A plain 200 answer. */
export function ok(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
