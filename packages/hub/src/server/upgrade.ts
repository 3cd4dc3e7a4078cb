/**
 * Upgrade requests: the relay's go to the relay, all others are answered and cut.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Server } from 'node:https'
import type { Duplex } from 'node:stream'

/** Takes an upgrade and returns true, or leaves the socket alone and returns false. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean

/** Wires upgrades of the server to `handle`. */
export function attachUpgrades(server: Server, handle: UpgradeHandler): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (handle(request, socket, head)) return
    // The peer may be gone already; there is nobody left to tell.
    socket.on('error', () => socket.destroy())
    socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', () => {
      socket.destroy()
    })
  })
}
