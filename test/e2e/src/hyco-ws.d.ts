/** The part of hyco-ws 1.0.5 that the suite uses; the package has no types. */
declare module 'hyco-ws' {
  interface RelayedSocket {
    onmessage: (event: { data: unknown }) => void
    send: (data: string) => void
  }
  interface RelayedServer {
    on(event: 'listening', listener: () => void): void
    on(event: 'error', listener: (error: Error) => void): void
  }
  const hyco: {
    createRelayedServer: (
      options: { server: string; token: string | (() => string) },
      onConnect: (socket: RelayedSocket) => void,
    ) => RelayedServer
    relayedConnect: (
      address: string,
      token: string,
      onConnect: (socket: RelayedSocket) => void,
    ) => void
  }
  export default hyco
}
