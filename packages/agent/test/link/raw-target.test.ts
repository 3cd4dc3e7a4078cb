import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isLongRunning, targetProblem } from '../../src/link/raw-target.ts'
import { Recorder } from '../rig/recorder.ts'
import { addressOf, makeRig, type Rig } from '../rig/rig.ts'

let recorder: Recorder
let rig: Rig

beforeAll(async () => {
  recorder = await Recorder.start()
  rig = makeRig({ address: addressOf(recorder.port, recorder.certificate) })
})
beforeEach(() => {
  recorder.reset()
})
afterAll(async () => {
  rig.close()
  await recorder.close()
})

async function get(target: string): Promise<string> {
  const end = rig.open()
  end.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  const answer = await end.answer()
  end.stream.destroy()
  return answer
}

describe('refused at the agent', () => {
  const encodings = ['.', '%2e', '%2E', '%252e', '%25252e', '%25%32%65']
  const dots = encodings.flatMap((first) => [
    `/api/${first}`,
    `/api/${first}/x`,
    ...encodings.map((second) => `/api/${first}${second}/x`),
  ])
  const separators = ['2f', '2F', '5c', '00', '0a', '0d', '23', '3f', '3b'].flatMap((hex) => [
    `/api/a%${hex}b`,
    `/api/a%25${hex}b`,
    `/api/a%2525${hex}b`,
  ])
  const others = [
    'api/v1',
    '//evil/x',
    '/api//v1',
    '/api/v1//',
    '/\\evil',
    '/api\\v1',
    '/api;x=1/v1',
    '/api/v1;x',
    '/api#frag',
    '/api?a=1#frag',
    '/api/%zz',
    '/api/%2',
    '/api/%',
    '/api/ä',
    '/api?q=ä',
    '/api/"x"',
    '/api/<x>',
    `/api/${'a'.repeat(8192)}`,
    '..',
    '?a=b',
  ]

  test.each([...dots, ...separators, ...others])('T-PATH-1 %j', async (target) => {
    expect(targetProblem(Buffer.from(target, 'utf8').toString('latin1'))).toBeTypeOf('string')
    expect(await get(Buffer.from(target, 'utf8').toString('latin1'))).toMatch(/^HTTP\/1\.1 400 /)
    expect(recorder.heads).toBe(0)
  })

  test.each([
    'http://169.254.169.254/latest',
    'https://kubernetes/api',
    'HTTP://x/',
    '127.0.0.1:443',
    'evil:443',
    '*',
    '/..//evil',
  ])('T-PATH-3 %s', async (target) => {
    expect(await get(target)).toMatch(/^HTTP\/1\.1 400 /)
    expect(recorder.heads).toBe(0)
  })
})

describe('forwarded unchanged', () => {
  test.each([
    '/',
    '/api',
    '/api/',
    '/api/v1/namespaces/default/pods?limit=500&labelSelector=a%3Db%2Cc',
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:node',
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system%3Anode',
    '/.well-known/openid-configuration',
    '/api/v1/namespaces/a/services/https:web:443/proxy/a..b/.c/...',
    '/api/v1/namespaces/a/pods/p/exec?command=sh&command=-c&command=echo%20..%2F%0A%00;x&stdin=true',
    '/api/v1/namespaces/a/pods/p/exec?command=/../..//x',
    '/apis/a.b/v1/x/caf%C3%A9',
    '/api/v1/x?q=%zz',
    '/api?',
    '/api/v1/namespaces/a/pods/p%25',
    "/api/v1/(a)!$&'*+,=~_-@",
  ])('T-PATH-2 %s', async (target) => {
    expect(await get(target)).toMatch(/^HTTP\/1\.1 200 /)
    expect(recorder.bytes.startsWith(`GET ${target} HTTP/1.1\r\n`)).toBe(true)
  })

  test('T-PATH-4 nothing in a request changes host, port or name of the connection', async () => {
    const end = rig.open()
    end.write('GET /api HTTP/1.1\r\nHost: evil.example:1234\r\nX-Forwarded-Host: evil\r\n\r\n')
    await end.answer()
    expect(recorder.bytes).toContain(`\r\nhost: 127.0.0.1:${recorder.port}\r\n`)
    expect(recorder.bytes).not.toContain('evil')
    end.stream.destroy()
  })
})

test('long-running requests are those of the API server', () => {
  for (const target of [
    '/api/v1/pods?watch=true',
    '/api/v1/pods?limit=1&watch=1',
    '/api/v1/watch/pods',
    '/api/v1/namespaces/a/pods/p/log?follow=true',
    '/api/v1/namespaces/a/pods/p/exec?command=x',
    '/api/v1/namespaces/a/services/s/proxy/x',
  ])
    expect(isLongRunning(target), target).toBe(true)
  for (const target of ['/api/v1/pods', '/api/v1/pods?limit=500', '/api/v1/x?q=/exec'])
    expect(isLongRunning(target), target).toBe(false)
})
