/**
 * Raw requests of a client that wants to be somebody else, or to have two parsers disagree.
 * @module
 */
import type { Random } from './random.ts'

const names = [
  'Impersonate-User',
  'impersonate-user',
  'IMPERSONATE-GROUP',
  'Impersonate-Group',
  'Impersonate-Uid',
  'Impersonate-Extra-a',
  'Impersonate_User',
  'Impersonate.User',
  ' Impersonate-User',
  'X-Impersonate-User',
  'Impersonate-User ',
  'Impersonate-User\t',
  'X-Remote-User',
  'X-Remote-Group',
  'X-Remote-Extra-a',
  'X-Forwarded-For',
  'Forwarded',
  'Authorization',
  'Cookie',
  'Proxy-Authorization',
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Host',
  'Content-Length',
  'Transfer-Encoding',
  'X-A',
  'Accept',
  'User-Agent',
  'Content-Type',
  'X-HTTP-Method-Override',
  'Proxy-Connection',
] as const

const values = [
  'system:masters',
  'root',
  'a',
  '',
  ' ',
  'close',
  'keep-alive',
  'upgrade',
  'Impersonate-User',
  'close, Impersonate-User',
  'chunked',
  'identity, chunked',
  'xchunked',
  'chunked ',
  '0',
  '3',
  '+3',
  '0x3',
  '3,3',
  '-1',
  '100-continue',
  'trailers',
  'h2c',
  'websocket',
  'SPDY/3.1',
  'Bearer x',
  'Basic eDp5',
  'a\rb',
  'a\nImpersonate-User: root',
  'a\r\nImpersonate-User: root',
  'a\r\n Impersonate-User: root',
  'a\0b',
  '\u00e4',
  'a\u007fb',
  '127.0.0.1',
  'evil@x',
  '[::zz]',
] as const

const targets = [
  '/api',
  '/api/v1/pods?limit=5',
  '//evil',
  '/api/../x',
  '/api/%2e%2e/x',
  '/api?x=%00',
  'http://evil/x',
  '*',
  '/a b',
  '/a\tb',
  '/api/%2fx',
  '/api;x',
  '/api#f',
  '/api/\u00e4',
] as const

const bodies = [
  '',
  'abc',
  '3\r\nabc\r\n0\r\n\r\n',
  '0\r\nImpersonate-User: root\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
] as const

function field(random: Random): string {
  const value: string = random.pick(values)
  const colon = random.chance(0.9) ? ': ' : random.pick([':', ' : ', ':\t', '', ':\u000b'])
  const end = random.chance(0.97) ? '\r\n' : random.pick(['\n', '\r', '\r\r\n'])
  return `${random.pick(names)}${colon}${value}${end}`
}

/** The bytes of one attempt, Latin-1; sometimes more than one request. */
export function hostileRequest(random: Random): string {
  const method = random.chance(0.9)
    ? random.pick(['GET', 'POST', 'PUT', 'DELETE'])
    : random.pick(['TRACE', 'get', 'PRI', 'GET\t'])
  const target = random.chance(0.8) ? '/api' : random.pick(targets)
  const version = random.chance(0.97) ? 'HTTP/1.1' : random.pick(['HTTP/1.0', 'HTTP/2.0', ''])
  const host = random.chance(0.97) ? 'Host: 127.0.0.1\r\n' : ''
  const fields = random.times(random.below(4), () => field(random)).join('')
  const body = random.pick(bodies)
  const length = random.chance(0.5) ? `Content-Length: ${body.length}\r\n` : ''
  return `${method} ${target} ${version}\r\n${host}${fields}${length}\r\n${body}`
}
