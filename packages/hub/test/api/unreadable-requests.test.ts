/**
 * Requests that never reach a route, over a real socket.
 * @module
 */
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { startApi, type ApiFixture } from './support/api-fixture.ts'

async function exchange(
  api: ApiFixture,
  request: string,
): Promise<{ status: number; body: string }> {
  const socket = connect({ port: Number(new URL(api.url).port), host: 'localhost', ca: api.ca })
  socket.write(request)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  const [head = '', body = ''] = text.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), body }
}

test.each<[string, { line: string; header?: string; status: number }]>([
  ['a path that cannot be decoded', { line: 'GET /%zz HTTP/1.1', status: 400 }],
  [
    'a part of the path that is too long',
    { line: `GET /subscriptions/${'a'.repeat(600)} HTTP/1.1`, status: 400 },
  ],
  [
    'headers that are too large',
    { line: 'GET /tenants HTTP/1.1', header: `a: ${'x'.repeat(20_000)}`, status: 431 },
  ],
  [
    'a length that is no number',
    { line: 'GET /tenants HTTP/1.1', header: 'content-length: x', status: 400 },
  ],
  ['no HTTP at all', { line: 'EHLO mail', status: 400 }],
])('%s gets the envelope', async (_name, { line, header, status }) => {
  await using api = await startApi()
  const lines = [
    line,
    'host: localhost',
    'connection: close',
    ...(header === undefined ? [] : [header]),
  ]
  const answer = await exchange(api, `${lines.join('\r\n')}\r\n\r\n`)
  expect(answer.status).toBe(status)
  expect(JSON.parse(answer.body)).toMatchObject({
    error: { code: 'InvalidRequestContent', message: 'the request cannot be read' },
  })
})
