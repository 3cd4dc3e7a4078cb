/**
 * Calls to the hub of the lab that no client of ours makes: thousands at once, or with what an attacker has.
 * @module
 */
import type { IncomingHttpHeaders } from 'node:http'
import { fileURLToPath } from 'node:url'
import { runAs } from './actors.ts'
import { lab } from './proxied.ts'

/** One call; `path` begins with `/`. */
export interface HubCall {
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

/** Answer to one call. */
export interface HubAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** What the program of `hub-calls-main.ts` reads. */
export interface HubCalls {
  origin: string
  caFile: string
  calls: HubCall[]
  concurrency: number
}

const program = fileURLToPath(new URL('./hub-calls-main.ts', import.meta.url))

/** Sends calls from the laptop's network; the answers come in the order of the calls. */
export async function callHub(calls: HubCall[], concurrency = 1): Promise<HubAnswer[]> {
  const { hub, network, directory } = lab()
  const input: HubCalls = { origin: hub.url, caFile: hub.caFile, calls, concurrency }
  const { code, stdout, stderr } = await runAs(
    { home: directory, netns: network.laptop },
    [process.execPath, program],
    { input: JSON.stringify(input), timeoutMs: 300_000 },
  )
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as HubAnswer[]
}

/** A JSON call with a bearer token. */
export function jsonCall(token: string, call: `${string} /${string}`, body?: unknown): HubCall {
  const [method = '', path = ''] = call.split(' ')
  return {
    method,
    path,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }
}

/** Access token of an application, got with its secret. */
export async function applicationToken(clientId: string, secret: string): Promise<string> {
  const { hub } = lab()
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: secret,
    scope: `${hub.url}/.default`,
  })
  const [answer] = await callHub([
    {
      method: 'POST',
      path: `/${hub.tenantId}/oauth2/v2.0/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    },
  ])
  if (answer?.status !== 200) throw new Error(answer?.text)
  return (JSON.parse(answer.text) as { access_token: string }).access_token
}
