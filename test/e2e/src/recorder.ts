/**
 * Preloaded into a relay under test (`node --import`): appends every byte its TLS sockets carry, in clear as the relay sees
 * it, to the file named by SALLYPORT_RECORD.
 * @module
 */
import { appendFileSync } from 'node:fs'
import { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

const file = process.env['SALLYPORT_RECORD']
if (file === undefined) throw new Error('SALLYPORT_RECORD names no file')

const keep = (chunk: unknown) => {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) appendFileSync(file, chunk)
}

// Every byte in comes by push, every byte out by _write or _writev, whatever API is on top.
type Push = (this: Duplex, chunk: unknown, encoding?: BufferEncoding) => boolean
const push = Reflect.get(Duplex.prototype, 'push') as Push
TLSSocket.prototype.push = function (this: TLSSocket, chunk: unknown, encoding?: BufferEncoding) {
  keep(chunk)
  return push.call(this, chunk, encoding)
}
interface Writer {
  _write: (chunk: unknown, encoding: BufferEncoding, done: (error?: Error | null) => void) => void
  _writev: (chunks: { chunk: unknown }[], done: (error?: Error | null) => void) => void
}
const writer = Object.getPrototypeOf(TLSSocket.prototype) as Writer
Object.assign(TLSSocket.prototype, {
  _write(this: TLSSocket, ...[chunk, encoding, done]: Parameters<Writer['_write']>) {
    keep(chunk)
    writer._write.call(this, chunk, encoding, done)
  },
  _writev(this: TLSSocket, ...[chunks, done]: Parameters<Writer['_writev']>) {
    for (const { chunk } of chunks) keep(chunk)
    writer._writev.call(this, chunks, done)
  },
})
