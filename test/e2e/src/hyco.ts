/**
 * A small program on the unmodified `hyco-ws`: one listener that echoes, one sender, against a relay; prints JSON.
 * @module
 */
import hyco from 'hyco-ws'

const [origin = '', path = '', listenToken = '', sendToken = ''] = process.argv.slice(2)
const address = (action: string) => `${origin}/$hc/${path}?sb-hc-action=${action}&sb-hc-id=e2e`
const { promise, resolve, reject } = Promise.withResolvers<string[]>()

const server = hyco.createRelayedServer(
  { server: address('listen'), token: () => listenToken },
  (socket) => {
    socket.on('message', (data: unknown) => {
      socket.send(`echo ${String(data)}`)
    })
  },
)
server.on('error', reject)
server.on('listening', () => {
  const received: string[] = []
  hyco.relayedConnect(address('connect'), sendToken, (socket) => {
    const words = ['one', 'two', 'three']
    for (const word of words) socket.send(word)
    socket.on('message', (data: unknown) => {
      received.push(String(data))
      if (received.length === words.length) resolve(received)
    })
  })
})

process.stdout.write(JSON.stringify(await promise))
// hyco-ws keeps an hourly timer that nothing clears.
process.exit(0)
