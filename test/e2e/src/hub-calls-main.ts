/**
 * Sends calls to a hub from inside a network namespace. Standard input: `HubCalls` as JSON; standard output: the answers.
 * @module
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { HubAnswer, HubCall, HubCalls } from './hub-calls.ts'

const { origin, caFile, calls, concurrency } = JSON.parse(readFileSync(0, 'utf8')) as HubCalls
const agent = new Agent({ keepAlive: true, maxSockets: concurrency, ca: readFileSync(caFile) })

function send({ method, path, headers, body }: HubCall): Promise<HubAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${origin}${path}`, { agent, method, headers }, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8').on('data', (more: string) => {
        text += more
      })
      incoming.on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const answers: HubAnswer[] = []
const waiting = calls.entries()
async function worker(): Promise<void> {
  for (const [index, call] of waiting) answers[index] = await send(call)
}
await Promise.all(Array.from({ length: concurrency }, worker))
process.stdout.write(JSON.stringify(answers))
agent.destroy()
