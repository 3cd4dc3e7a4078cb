/**
 * The address on this machine to which the browser brings the authorization code (RFC 8252 section 7.3).
 * Anybody here can call it; only who knows the state of this sign-in is heard (X083).
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SallyportError, cliRedirectPath, limits } from '@sallyport/protocol'
import { sendPage } from './loopback-page.ts'

/** What a listener needs. */
export interface LoopbackOptions<T> {
  state: string
  issuer: string
  /** Where the browser signs in, once the redirect address is known. */
  authorizationUrl: (redirectUri: string) => string
  /** Redeems a code; undefined when the hub does not know it: then it was not from the hub, and waiting goes on. */
  redeem: (code: string, redirectUri: string) => Promise<T | undefined>
  /** Who is greeted on the last page. */
  greeting: (result: T) => string
  signal: AbortSignal
  timeoutMs?: number
}

/** Addresses of one sign-in. */
export interface LoopbackAddresses {
  /** For the browser's command line: says nothing, leads to `authorizationUrl`, once. */
  start: string
  /** For the person, when no browser opens. */
  authorizationUrl: string
}

/** More codes than this are somebody trying. */
const maxCodes = 5

/** Listens, tells the addresses, waits for the code. @throws SallyportError ERR_AUTH_FAILED, ERR_TIMEOUT, or what `redeem` threw. */
export async function receiveCode<T>(
  options: LoopbackOptions<T>,
  opened: (addresses: LoopbackAddresses) => void,
): Promise<T> {
  const server = createServer({
    maxHeaderSize: limits.httpMaxHeaderBytes,
    headersTimeout: limits.httpHeadersTimeoutMs,
    requestTimeout: limits.httpRequestTimeoutMs,
  })
  const timeout = AbortSignal.timeout(options.timeoutMs ?? limits.browserSignInMs)
  const ended = AbortSignal.any([options.signal, timeout])
  try {
    const { port } = await listen(server)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    ended.addEventListener('abort', () => {
      reject(timeout.aborted ? nobodyCame() : (options.signal.reason as Error))
    })
    const authority = `127.0.0.1:${port}`
    const redirectUri = `http://${authority}${cliRedirectPath}`
    const startPath = `/start/${randomBytes(16).toString('base64url')}`
    const authorizationUrl = options.authorizationUrl(redirectUri)
    const handle = createHandler(options, { authority, redirectUri, startPath, authorizationUrl })
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      handle(request, response).then((result) => {
        if (result !== undefined) resolve(result.value)
      }, reject)
    })
    opened({ start: `http://${authority}${startPath}`, authorizationUrl })
    return await promise
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

async function listen(server: Server): Promise<AddressInfo> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.address() as AddressInfo
}

interface Place {
  authority: string
  redirectUri: string
  startPath: string
  authorizationUrl: string
}

function createHandler<T>(options: LoopbackOptions<T>, place: Place) {
  let isStarted = false
  let codes = 0
  // One code at a time: two at once could both be redeemed.
  let turn: Promise<unknown> = Promise.resolve()
  return async (
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{ value: T } | undefined> => {
    const url = new URL(request.url ?? '/', `http://${place.authority}`)
    // Another name for this address is a page of somebody else whose name was pointed here.
    if (request.headers.host !== place.authority || request.method !== 'GET') {
      await sendPage(response, 'elsewhere')
      return undefined
    }
    if (url.pathname === place.startPath && !isStarted) {
      isStarted = true
      response.writeHead(302, {
        location: place.authorizationUrl,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      })
      response.end()
      return undefined
    }
    const answer = url.pathname === cliRedirectPath ? readAnswer(url, options) : undefined
    if (answer === undefined) {
      await sendPage(response, 'elsewhere')
      return undefined
    }
    if (answer.code === undefined) {
      await sendPage(response, 'failed')
      throw denied(answer.error)
    }
    codes += 1
    if (codes > maxCodes) {
      await sendPage(response, 'failed')
      throw tooManyCodes()
    }
    const { code } = answer
    const mine = turn.then(() => redeemed(options, { code, response, ...place }))
    turn = mine.catch(() => undefined)
    return mine
  }
}

/** Parameters of an answer to this sign-in, undefined for any other request. */
function readAnswer(
  url: URL,
  options: { state: string; issuer: string },
): { code: string } | { code: undefined; error: string } | undefined {
  const one = (name: string) => {
    const [value, ...more] = url.searchParams.getAll(name)
    return more.length === 0 ? value : undefined
  }
  if (!isEqual(one('state') ?? '', options.state)) return undefined
  // RFC 9207: an answer of another issuer is not for us.
  if (url.searchParams.has('iss') && one('iss') !== options.issuer) return undefined
  const code = one('code')
  if (code !== undefined && code !== '') return { code }
  const error = one('error_description') ?? one('error')
  return error === undefined ? undefined : { code: undefined, error }
}

const digest = (text: string) => createHash('sha256').update(text).digest()
const isEqual = (a: string, b: string) => timingSafeEqual(digest(a), digest(b))

async function redeemed<T>(
  options: LoopbackOptions<T>,
  request: { code: string; response: ServerResponse; redirectUri: string },
): Promise<{ value: T } | undefined> {
  let value: T | undefined
  try {
    value = await options.redeem(request.code, request.redirectUri)
  } catch (error) {
    await sendPage(request.response, 'failed')
    throw error
  }
  if (value === undefined) {
    await sendPage(request.response, 'elsewhere')
    return undefined
  }
  await sendPage(request.response, 'done', options.greeting(value))
  return { value }
}

function denied(error: string): SallyportError {
  return new SallyportError('ERR_AUTH_FAILED', `sign-in failed: ${error}`, {
    remedy: 'sign in again: sallyport login',
  })
}

function tooManyCodes(): SallyportError {
  return new SallyportError(
    'ERR_AUTH_FAILED',
    'sign-in failed: too many codes the hub does not know',
    {
      why: 'another program on this machine calls the address the browser should come back to',
      remedy: 'sign in without a browser here: sallyport login --use-device-code',
    },
  )
}

function nobodyCame(): SallyportError {
  return new SallyportError('ERR_TIMEOUT', 'nobody signed in in the browser in time', {
    remedy: 'sallyport login, or without a browser here: sallyport login --use-device-code',
  })
}
