/**
 * Writes raw bytes to the local port of a `sallyport proxy`, as no HTTP client would. Standard input: `RawHttp` as JSON;
 * standard output: the answers, one string each, Latin-1.
 * @module
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { parse } from 'yaml'
import type { RawHttp } from './raw-http.ts'

interface Kubeconfig {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }]
  users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }]
}

const deadlineMs = 10_000
const { kubeconfig, requests } = JSON.parse(readFileSync(0, 'utf8')) as RawHttp
const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
const server = new URL(clusters[0].cluster.server)
const pem = (data: string): Buffer => Buffer.from(data, 'base64')

/** Whether a whole answer has arrived; one without a length ends with its connection. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
  return end !== -1 && length !== undefined && text.length >= end + 4 + Number(length)
}

/** Sends one request on a connection of its own; what comes back until it is whole or the connection ends. */
async function send(bytes: string): Promise<string> {
  const socket = connect({
    host: server.hostname,
    port: Number(server.port),
    ca: pem(clusters[0].cluster['certificate-authority-data']),
    cert: pem(users[0].user['client-certificate-data']),
    key: pem(users[0].user['client-key-data']),
    ALPNProtocols: ['http/1.1'],
  })
  const signal = AbortSignal.timeout(deadlineMs)
  await once(socket, 'secureConnect', { signal })
  socket.setEncoding('latin1')
  socket.write(Buffer.from(bytes, 'latin1'))
  let text = ''
  try {
    for await (const chunk of socket) {
      text += String(chunk)
      if (isWhole(text)) break
    }
  } catch {
    // A connection that is broken off after a refusal is an end like any other.
  }
  socket.destroy()
  return text
}

const answers: string[] = []
for (const request of requests) answers.push(await send(request))
process.stdout.write(JSON.stringify(answers))
