/**
 * The one way the hub fetches from outside issuers: https only, no redirects, a size, a deadline, no metadata services.
 * It has the shape of `fetch`, so that `openid-client` takes it as its own.
 * @module
 */
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns'
import { request, type RequestOptions } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { getCACertificates } from 'node:tls'
import { limits, SallyportError } from '@sallyport/protocol'

/** What a request may set. */
export interface OutsideRequest {
  method?: string
  headers?: Record<string, string>
  body?: unknown
  signal?: AbortSignal | undefined
}

/** Fetches; every failure is ERR_ISSUER_UNREACHABLE and says what was wrong, never what was received. */
export type OutsideFetch = (url: string, options?: OutsideRequest) => Promise<Response>

/** Addresses that hand out credentials of the machine to whoever asks (T-SSRF-2). */
const forbidden = new BlockList()
forbidden.addSubnet('169.254.0.0', 16)
forbidden.addSubnet('fe80::', 10, 'ipv6')
forbidden.addAddress('168.63.129.16')
forbidden.addAddress('100.100.100.200')
forbidden.addAddress('fd00:ec2::254', 'ipv6')

/** Makes the fetch; `authorities` are PEM certificates trusted beside the public ones, `maxBytes` the longest answer. */
export function createOutsideFetch(
  parts: { authorities?: readonly string[]; maxBytes?: number } = {},
): OutsideFetch {
  const maxBytes = parts.maxBytes ?? limits.issuerDocumentBytes
  const ca = [...getCACertificates('default'), ...(parts.authorities ?? [])]
  return async (address, options = {}) => {
    const url = URL.canParse(address) ? new URL(address) : undefined
    if (url?.protocol !== 'https:') throw unreachable('its address does not begin with https://')
    if (url.username !== '' || url.password !== '') throw unreachable('its address has a user name')
    const deadline = AbortSignal.timeout(limits.issuerFetchTimeoutMs)
    const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline
    try {
      const incoming = await send(url, { ca, signal }, options)
      return await readWhole(incoming, maxBytes)
    } catch (cause) {
      if (cause instanceof SallyportError) throw cause
      const why = deadline.aborted
        ? `no whole answer within ${limits.issuerFetchTimeoutMs / 1000} s`
        : reasonOf(cause)
      throw unreachable(why, cause)
    }
  }
}

/** The error of everything that goes wrong between hub and issuer. */
export function unreachable(why: string, cause?: unknown): SallyportError {
  return new SallyportError(
    'ERR_ISSUER_UNREACHABLE',
    'the outside issuer did not answer as it has to',
    {
      why,
      cause,
    },
  )
}

function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : 'the connection failed'
}

function send(
  url: URL,
  base: RequestOptions & { signal: AbortSignal },
  { method = 'GET', headers = {}, body }: OutsideRequest,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        ...base,
        method,
        headers: { ...headers, accept: 'application/json', 'accept-encoding': 'identity' },
        agent: false,
        lookup: guardedLookup,
      },
      resolve,
    )
    outgoing.on('error', reject)
    const literal = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) !== 0 && isForbidden(literal)) {
      outgoing.destroy(unreachable('its address is one of a metadata service'))
      return
    }
    outgoing.end(body instanceof URLSearchParams ? body.toString() : (body ?? undefined))
  })
}

function isForbidden(address: string): boolean {
  return forbidden.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** Refuses names by what they resolve to, at the moment of connecting, so that a second answer cannot differ from the checked one. */
const guardedLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) {
      done(error, '')
      return
    }
    if (addresses.some(({ address }) => isForbidden(address))) {
      done(unreachable('its name resolves to a metadata service'), '')
      return
    }
    if (options.all === true) done(null, addresses)
    else done(null, addresses[0]?.address ?? '', addresses[0]?.family)
  })
}

async function readWhole(incoming: IncomingMessage, maxBytes: number): Promise<Response> {
  const status = incoming.statusCode ?? 0
  const refuse = (why: string): SallyportError => {
    incoming.destroy()
    return unreachable(why)
  }
  if (status >= 300 && status < 400) throw refuse('it redirects')
  const encoding = incoming.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw refuse('its answer is compressed')
  const tooLong = `its answer is longer than ${maxBytes} bytes`
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) {
    throw refuse(tooLong)
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw refuse(tooLong)
    chunks.push(chunk)
  }
  const { 'content-type': type, date } = incoming.headers
  return new Response(status === 204 ? null : Buffer.concat(chunks), {
    status,
    headers: {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(date === undefined ? {} : { date }),
    },
  })
}
