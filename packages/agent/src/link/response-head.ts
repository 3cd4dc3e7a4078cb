/**
 * Headers of an answer as they go to the client: hop-by-hop ones and those that would steer a browser are left out.
 * @module
 */

const dropped = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'alt-svc',
  'set-cookie',
  'set-cookie2',
])

/** Filters raw header pairs (as bytes or text) into names and values, alternating, for `writeHead`. */
export function cleanResponseHead(raw: readonly (Buffer | string)[]): string[] {
  const headers: string[] = []
  for (let index = 0; index < raw.length; index += 2) {
    const name = text(raw[index])
    if (!dropped.has(name.toLowerCase())) headers.push(name, text(raw[index + 1]))
  }
  return headers
}

function text(value: Buffer | string | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '')
}

/** Value of one header among names and values, alternating; undefined when absent. */
export function headerValue(headers: readonly string[], lowerCaseName: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2)
    if (headers[index]?.toLowerCase() === lowerCaseName) return headers[index + 1]
  return undefined
}
