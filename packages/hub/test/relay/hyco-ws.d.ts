/**
 * What the tests use of hyco-ws, which has no types of its own.
 * @module
 */
declare module 'hyco-ws' {
  import type { EventEmitter } from 'node:events'

  /** A WebSocket of ws 1.x. */
  export interface HycoSocket extends EventEmitter {
    readonly protocol: string | undefined
    readyState: number
    send(data: string | Buffer, options?: object, done?: (error?: Error) => void): void
    /** Sends one message in parts: the callback is asked for each of them. */
    stream(
      options: object,
      next: (error: Error | undefined, send: (part: Buffer, isLast: boolean) => void) => void,
    ): void
    ping(): void
    close(code?: number, reason?: string): void
    terminate(): void
  }

  export interface HycoServer extends EventEmitter {
    controlChannel: HycoSocket
    options: object
    close(done?: (error?: Error) => void): void
  }

  const hyco: {
    createRelayedServer(
      options: { server: string; token: string | (() => string); [more: string]: unknown },
      onConnection?: (socket: HycoSocket) => void,
    ): HycoServer
    relayedConnect(
      address: string,
      token: string | null,
      onOpen?: (socket: HycoSocket) => void,
    ): HycoSocket
    createRelayToken(uri: string, keyName: string, key: string, seconds?: number): string
    appendRelayToken(uri: string, keyName: string, key: string, seconds?: number): string
  }
  export default hyco
}
