/**
 * A small program that speaks the public relay protocol with a plain WebSocket client; prints JSON.
 * @module
 */
import { once } from 'node:events'
import { WebSocket } from 'ws'

const [verb = '', origin = '', path = '', token = '', second = ''] = process.argv.slice(2)

function open(action: string, sas: string): WebSocket {
  return new WebSocket(
    `${origin}/$hc/${path}?sb-hc-action=${action}&sb-hc-token=${encodeURIComponent(sas)}`,
  )
}

/** 101 when it opened, else the status it was refused with. */
async function statusOf(socket: WebSocket): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  socket.once('open', () => {
    resolve(101)
  })
  socket.once('unexpected-response', (_request, response) => {
    resolve(response.statusCode ?? 0)
  })
  socket.once('error', reject)
  return promise
}

async function listeners(): Promise<unknown> {
  const statuses = []
  for (let count = 0; count < 26; count++) statuses.push(await statusOf(open('listen', token)))
  return { open: statuses.filter((status) => status === 101).length, refused: statuses.at(-1) }
}

interface Accept {
  accept: { address: string }
}

async function rendezvous(): Promise<unknown> {
  const control = open('listen', token)
  await once(control, 'open')
  const sender = open('connect', second)
  const [message] = (await once(control, 'message')) as [Buffer]
  const { address } = (JSON.parse(message.toString()) as Accept).accept
  const accepted = new WebSocket(address)
  accepted.on('message', (data: Buffer) => {
    accepted.send(data.toString())
  })
  const opened = once(sender, 'open')
  const first = await statusOf(accepted)
  await opened
  sender.send('over the rendezvous')
  const [echoed] = (await once(sender, 'message')) as [Buffer]
  return { first, second: await statusOf(new WebSocket(address)), echoed: echoed.toString() }
}

async function renew(): Promise<unknown> {
  const kept = open('listen', token)
  const left = open('listen', token)
  await Promise.all([once(kept, 'open'), once(left, 'open')])
  kept.send(JSON.stringify({ renewToken: { token: second } }))
  const [expired] = (await once(left, 'close')) as [number]
  // Both had the same token; the one that is still there after the other was closed has been renewed.
  return { renewed: kept.readyState === WebSocket.OPEN ? 'open' : 'closed', expired }
}

const verbs: Record<string, () => Promise<unknown>> = { listeners, rendezvous, renew }
const chosen = verbs[verb]
if (chosen === undefined) throw new Error(`unknown verb ${verb}`)
process.stdout.write(JSON.stringify(await chosen()))
process.exit(0)
