/**
 * One pass over the raw headers of a request: refuse what no Kubernetes client sends, drop what speaks for someone else,
 * keep the rest in order. Rules: security catalogue X001–X019.
 * @module
 */
import { limits, SallyportError } from '@sallyport/protocol'
import { isImpersonation } from '../guard/impersonation-headers.ts'

/** A cleaned request head. */
export interface RequestHead {
  /** Names and values, alternating, to send on. */
  headers: string[]
  hasHost: boolean
  authorization: string | undefined
  /** Declared length of the body; undefined when absent. */
  contentLength: number | undefined
  chunked: boolean
  /** Value of Upgrade, undefined without. */
  upgrade: string | undefined
  /** Value of Connection, lower case. */
  connection: string | undefined
}

type Special = (head: RequestHead, value: string) => void

interface Rule {
  /** `pass`: forward; `drop`: leave out; a function: look at the value, forward nothing. */
  action: 'pass' | 'drop' | Special
  /** One bit for each header that may stand only once; 0 for the others. */
  once: number
}

function invalid(what: string): SallyportError {
  return new SallyportError('ERR_REQUEST_INVALID', what)
}

const singleValued = [
  'content-type',
  'content-encoding',
  'content-range',
  'user-agent',
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'date',
  'from',
  'referer',
  'origin',
  'max-forwards',
  'traceparent',
  'sec-websocket-key',
  'sec-websocket-version',
] as const

const dropped = [
  'keep-alive',
  'te',
  'trailer',
  'cookie',
  'cookie2',
  'forwarded',
  'via',
  'audit-id',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'x-rewrite-url',
  'x-method-override',
  'x-http-method',
  'x-http-method-override',
  'http2-settings',
]

/** Families of headers by which a front proxy tells a server who or what the request is. */
const droppedFamilies =
  /^(?:x-remote|x-forwarded|x-original|proxy|x-ms-client-principal|x-sallyport)(?:-|$)/

// RFC 9110 section 7.2; the value never goes upstream, it only has to be a sane host.
const host =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/

const connectionValues = new Set(['close', 'keep-alive', 'upgrade'])

const specials: Record<string, Special> = {
  host: (head, value) => {
    if (!host.test(value)) throw invalid('the Host header is not a host name')
    head.hasHost = true
  },
  connection: (head, value) => {
    const connection = value.toLowerCase()
    // T-HOP-1: a header named here would be taken off by a later hop (CVE-2021-31999, CVE-2022-23652).
    if (!connectionValues.has(connection))
      throw invalid('the Connection header is not exactly close, keep-alive or upgrade')
    head.connection = connection
  },
  'transfer-encoding': (head, value) => {
    if (value !== 'chunked') throw invalid('the Transfer-Encoding header is not exactly chunked')
    head.chunked = true
  },
  'content-length': (head, value) => {
    const length = /^\d{1,15}$/.test(value) ? Number(value) : -1
    if (length < 0) throw invalid('the Content-Length header is not a number')
    head.contentLength = length
  },
  upgrade: (head, value) => {
    head.upgrade = value
  },
  authorization: (head, value) => {
    head.authorization = value
  },
  expect: (_, value) => {
    if (value.toLowerCase() !== '100-continue') throw invalid('the Expect header is not known')
  },
  'accept-encoding': (head, value) => {
    // Brotli is never asked for: whoever decodes it has a wide attack surface (CVE-2026-111497).
    const kept = value.includes('br') ? withoutBrotli(value) : value
    if (kept !== '') head.headers.push('Accept-Encoding', kept)
  },
}

function withoutBrotli(value: string): string {
  return value
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => !/^br(?:;|\s|$)/i.test(coding))
    .join(', ')
}

const onceSpecials = Object.keys(specials).filter((name) => name !== 'accept-encoding')
const onceBits = new Map(
  [...onceSpecials, ...singleValued].map((name, index) => [name, 1 << index] as const),
)

const pass: Rule = { action: 'pass', once: 0 }
const drop: Rule = { action: 'drop', once: 0 }

/** Rules by exact spelling: lower case and as Go writes them, so that most names are found without lower-casing. */
const rules = new Map<string, Rule>()

function register(name: string, rule: Rule): void {
  rules.set(name, rule)
  rules.set(
    name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()),
    rule,
  )
}

for (const name of dropped) register(name, drop)
for (const name of singleValued) register(name, { action: 'pass', once: onceBits.get(name) ?? 0 })
for (const [name, action] of Object.entries(specials))
  register(name, { action, once: onceBits.get(name) ?? 0 })
for (const name of ['accept', 'kubectl-command', 'kubectl-session', 'x-stream-protocol-version'])
  register(name, pass)

function ruleOf(name: string): Rule {
  const lower = name.toLowerCase()
  const known = rules.get(lower)
  if (known !== undefined) return known
  if (isImpersonation(lower))
    throw new SallyportError('ERR_REQUEST_IMPERSONATION', 'impersonation is not supported')
  // A name with `_` or another odd character is an alias of a header to some servers (CVE-2025-64484): none passes.
  if (droppedFamilies.test(lower) || !/^[a-z0-9-]+$/.test(lower)) return drop
  return pass
}

/**
 * Cleans the raw headers (names and values, alternating).
 * @throws SallyportError ERR_REQUEST_IMPERSONATION, ERR_REQUEST_INVALID; nothing has been sent then.
 */
export function cleanRequestHead(rawHeaders: readonly string[]): RequestHead {
  const head: RequestHead = {
    headers: [],
    hasHost: false,
    authorization: undefined,
    contentLength: undefined,
    chunked: false,
    upgrade: undefined,
    connection: undefined,
  }
  let seen = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    const rule = rules.get(name) ?? ruleOf(name)
    if ((seen & rule.once) !== 0) throw invalid(`the header ${name.slice(0, 64)} stands twice`)
    seen |= rule.once
    if (rule.action === 'pass') head.headers.push(name, value)
    else if (rule.action !== 'drop') rule.action(head, value)
  }
  checkFraming(head)
  return head
}

function checkFraming(head: RequestHead): void {
  if (head.chunked && head.contentLength !== undefined)
    throw invalid('the request has both Content-Length and Transfer-Encoding')
  if ((head.upgrade !== undefined) !== (head.connection === 'upgrade'))
    throw invalid('Upgrade and Connection: upgrade stand together or not at all')
}

/** Whether a request has more header lines than are allowed (M6: what is not seen cannot be judged). */
export function hasTooManyHeaders(rawHeaders: readonly string[]): boolean {
  return rawHeaders.length / 2 > limits.agentMaxHeaders
}
