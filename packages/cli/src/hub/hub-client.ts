/**
 * Calls of the hub's API as the signed-in principal: api-version, token, errors, pages, operations.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  SallyportError,
  clientAuthorizationApiVersion,
  clientKubernetesApiVersion,
  clientResourcesApiVersion,
  jsonParser,
  limits,
  pageSchema,
} from '@sallyport/protocol'
import Type, { type Static, type TSchema } from 'typebox'
import { armError } from './arm-error.ts'
import type { TokenSource } from './token-source.ts'
import type { HubResponse, HubTransport } from './transport.ts'

/** One call; without `api-version` in the path the one of its provider is added. */
export interface ApiCall {
  method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE' | 'HEAD'
  path: string
  body?: unknown
  signal: AbortSignal
  timeoutMs?: number
}

/** A page number above this means a list that never ends. */
const maxPages = 10_000
const defaultPollMs = 1_000

/** The hub as one principal sees it. */
export interface HubClient {
  readonly origin: string
  /** Sends a call; an answer of 400 and above is thrown. */
  call: (call: ApiCall) => Promise<HubResponse>
  /** As `call`, its answer parsed. */
  json: <T extends TSchema>(call: ApiCall, schema: T, what: string) => Promise<Static<T>>
  /** All items of a list, over all pages. */
  list: <T extends TSchema>(call: ApiCall, item: T, what: string) => Promise<Static<T>[]>
  /** As `call`, then waits until the operation it started has ended. */
  complete: (call: ApiCall) => Promise<HubResponse>
  close: () => Promise<void>
}

/** Makes a client. */
export function createHubClient(transport: HubTransport, tokens: TokenSource): HubClient {
  const call = (request: ApiCall) => callOnce(transport, tokens, request)
  const json: HubClient['json'] = async (request, schema, what) =>
    jsonParser(schema, what, 'ERR_HUB_UNREACHABLE')((await call(request)).text)
  return {
    origin: transport.origin,
    call,
    json,
    list: async (request, item, what) => {
      const items: Static<typeof item>[] = []
      const schema = pageSchema(item)
      let path: string | undefined = request.path
      for (let page = 0; path !== undefined; page++) {
        if (page > maxPages) throw new SallyportError('ERR_HUB_UNREACHABLE', `${what} has no end`)
        const { value, nextLink }: Static<typeof schema> = await json(
          { ...request, path },
          schema,
          what,
        )
        items.push(...value)
        path = nextLink === undefined ? undefined : localPath(transport, nextLink)
      }
      return items
    },
    complete: async (request) => poll(transport, call, { first: await call(request), request }),
    close: () => transport.close(),
  }
}

async function callOnce(
  transport: HubTransport,
  tokens: TokenSource,
  request: ApiCall,
): Promise<HubResponse> {
  const send = async (token: string) =>
    transport.send({
      method: request.method,
      path: withApiVersion(request.path),
      headers: { authorization: `Bearer ${token}` },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal: request.signal,
      ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
    })
  const { signal } = request
  const token = await tokens({ signal })
  let response = await send(token)
  // The hub forgot its keys or the clock jumped: one new token, one more try.
  if (response.status === 401) response = await send(await tokens({ signal, refused: token }))
  if (response.status >= 400) throw armError(response)
  return response
}

/** By the last provider of a path: roles of a cluster belong to the provider of roles. */
const versions: Record<string, string> = {
  kubernetes: clientKubernetesApiVersion,
  authorization: clientAuthorizationApiVersion,
}

/** Adds the api-version this CLI speaks to paths of ARM. */
export function withApiVersion(path: string): string {
  if (/[?&]api-version=/i.test(path) || /^\/(sallyport|v1\.0)\//.test(path)) return path
  const [, provider = ''] =
    /^.*\/providers\/microsoft\.(kubernetes|authorization)\//i.exec(path) ?? []
  const version = versions[provider.toLowerCase()] ?? clientResourcesApiVersion
  return `${path}${path.includes('?') ? '&' : '?'}api-version=${version}`
}

/** Path of an address the hub gave. @throws SallyportError ERR_HUB_UNTRUSTED when it leads elsewhere (T-CLI-3). */
function localPath(transport: HubTransport, address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.origin === transport.origin) return url.pathname + url.search
  throw new SallyportError('ERR_HUB_UNTRUSTED', 'the hub sends this client to another address', {
    remedy: 'sign in at the address the hub has as its public URL: sallyport login --hub URL',
  })
}

const parseStatus = jsonParser(Type.Object({ status: Type.String() }), 'operation')

/** Follows `Azure-AsyncOperation`, else `Location` of a 202 (Azure Resource Manager: asynchronous operations). */
async function poll(
  transport: HubTransport,
  call: (request: ApiCall) => Promise<HubResponse>,
  operation: { first: HubResponse; request: ApiCall },
): Promise<HubResponse> {
  const { first, request } = operation
  const statusAddress = first.headers['azure-asyncoperation']
  const address = statusAddress ?? (first.status === 202 ? first.headers['location'] : undefined)
  if (address === undefined) return first
  const deadline = performance.now() + limits.connectTimeoutMs
  const path = localPath(transport, address)
  while (performance.now() < deadline) {
    const response = await call({ method: 'GET', path, signal: request.signal })
    const status = statusAddress === undefined ? undefined : parseStatus(response.text).status
    if (status === undefined ? response.status !== 202 : status === 'Succeeded') return first
    if (status === 'Failed' || status === 'Canceled') throw armError(response)
    const seconds = Number(response.headers['retry-after'])
    const waitMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : defaultPollMs
    await sleep(waitMs, undefined, { signal: request.signal })
  }
  throw new SallyportError('ERR_TIMEOUT', 'the operation at the hub did not end in time', {
    requestId: first.requestId,
  })
}
