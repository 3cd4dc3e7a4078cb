/**
 * The exchange with the hub as `--debug` shows it: tokens and secrets masked.
 * @module
 */
import { escapeLine } from '../output/escape.ts'

const secretHeaders = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie'])
const secretFields =
  /("(?:access_token|refresh_token|id_token|client_secret|clientSecret|token|clusterToken|value|assertion)"\s*:\s*")[^"]*"/g
const secretParameters = /((?:^|&)(?:client_secret|client_assertion|refresh_token|token)=)[^&]*/g
const shownBytes = 4_096

const mask = (body: string) =>
  body.replaceAll(secretFields, '$1…"').replaceAll(secretParameters, '$1…')

function lines(
  prefix: string,
  head: string,
  part: { headers: Record<string, string>; body: string },
): string {
  const headers = Object.entries(part.headers).map(
    ([name, value]) => `${name}: ${secretHeaders.has(name.toLowerCase()) ? '…' : value}`,
  )
  const masked = mask(part.body)
  const body = masked.length > shownBytes ? `${masked.slice(0, shownBytes)}… (cut)` : masked
  return [head, ...headers, ...(body === '' ? [] : body.split('\n'))]
    .map((line) => `debug: ${prefix} ${escapeLine(line)}\n`)
    .join('')
}

/** Lines of a request. */
export function traceRequest(request: {
  method: string
  origin: string
  path: string
  headers: Record<string, string>
  body?: string
}): string {
  const head = `${request.method} ${request.origin}${request.path}`
  return lines('>', head, { headers: request.headers, body: request.body ?? '' })
}

/** Lines of an answer. */
export function traceResponse(
  response: { status: number; headers: Record<string, string>; text: string },
  elapsedMs: number,
): string {
  const head = `${response.status} (${Math.round(elapsedMs)} ms)`
  return lines('<', head, { headers: response.headers, body: response.text })
}
