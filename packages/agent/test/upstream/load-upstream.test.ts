import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AgentCredential } from '../../src/upstream/credential.ts'
import { loadUpstream } from '../../src/upstream/load-upstream.ts'
import { makeCertificate, type TestCertificate } from '../rig/certificate.ts'

let directory: string
let pem: TestCertificate
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-agent-'))
  pem = await makeCertificate()
  writeFileSync(join(directory, 'ca.pem'), pem.certificate)
  writeFileSync(join(directory, 'client.pem'), pem.certificate)
  writeFileSync(join(directory, 'client.key'), pem.key)
})
afterAll(() => {
  rmSync(directory, { recursive: true })
})

function write(cluster: object, user: object | null, more: object = {}): string {
  const path = join(directory, 'config')
  const config = {
    'current-context': 'c',
    contexts: [
      { name: 'c', context: { cluster: 'c', user: 'u' } },
      { name: 'd', context: { cluster: 'c', user: 'gone' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://kube.example:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
    ...more,
  }
  writeFileSync(path, JSON.stringify(config))
  return path
}

const why = (path: string, options = {}): string => {
  try {
    loadUpstream(path, options)
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      'why' in error &&
      error.code === 'ERR_KUBECONFIG'
    )
      return String(error.why)
    throw error
  }
  return 'accepted'
}

test('files beside the kubeconfig, a path prefix and a server name are read', () => {
  const path = write(
    {
      server: 'https://[::1]:6443/k8s/clusters/c-1/',
      'certificate-authority': 'ca.pem',
      'tls-server-name': 'kubernetes',
    },
    { 'client-certificate': 'client.pem', 'client-key': 'client.key' },
  )
  const { address, credential } = loadUpstream(path)
  expect(address).toEqual({
    origin: 'https://[::1]:6443',
    hostname: '::1',
    port: 6443,
    pathPrefix: '/k8s/clusters/c-1',
    ca: pem.certificate,
    serverName: 'kubernetes',
    verify: true,
  })
  expect(credential.certificate).toEqual({ certificate: pem.certificate, key: pem.key })
  expect(credential.authorization()).toBeUndefined()
})

test('inline data and a token are read', () => {
  const data = Buffer.from(pem.certificate).toString('base64')
  const { address, credential } = loadUpstream(
    write({ 'certificate-authority-data': data }, { token: 'abc.def' }),
  )
  expect(address).toMatchObject({ ca: pem.certificate, port: 6443, pathPrefix: '' })
  expect(credential.authorization()).toBe('Bearer abc.def')
})

describe('refused with a reason', () => {
  test.each([
    ['exec plugin', {}, { exec: { command: 'aws' } }, /exec plugin/],
    ['auth provider', {}, { 'auth-provider': { name: 'gcp' } }, /auth-provider/],
    ['basic auth', {}, { username: 'a', password: 'b' }, /name and a password/],
    ['impersonation', {}, { token: 't', as: 'root' }, /impersonates another/],
    ['proxy-url', { 'proxy-url': 'http://p' }, { token: 't' }, /proxy-url/],
    ['plain http', { server: 'http://kube' }, { token: 't' }, /not an https URL/],
    ['no URL', { server: 'kube:6443' }, { token: 't' }, /not an https URL/],
    [
      'switched-off verification',
      { 'insecure-skip-tls-verify': true },
      { token: 't' },
      /dangerously/,
    ],
    ['no credential', {}, {}, /no token, token file or client certificate/],
    ['a certificate without key', {}, { 'client-certificate': 'client.pem' }, /without key/],
    [
      'a missing file',
      { 'certificate-authority': 'gone.pem' },
      { token: 't' },
      /gone\.pem cannot be read/,
    ],
    ['no user', {}, null, /no user u/],
  ] as [string, object, object | null, RegExp][])('%s', (...[, cluster, user, expected]) => {
    expect(why(write(cluster, user))).toMatch(expected)
  })

  test('unknown context, missing file, no YAML', () => {
    const path = write({}, { token: 't' })
    expect(why(path, { context: 'x' })).toMatch(/no context x/)
    expect(why(path, { context: 'd' })).toMatch(/no user gone/)
    expect(why(join(directory, 'gone'))).toMatch(/ENOENT/)
    writeFileSync(path, '{{{')
    expect(why(path)).not.toBe('accepted')
    writeFileSync(path, 'clusters: 7')
    expect(why(path)).toMatch(/contexts|clusters/)
  })

  test('switched-off verification works with the dangerous flag only', () => {
    const path = write({ 'insecure-skip-tls-verify': true }, { token: 't' })
    expect(loadUpstream(path, { dangerouslySkipTlsVerify: true }).address.verify).toBe(false)
  })
})

test('X056 a token file is read again after a minute; empty or missing it keeps the last good token', () => {
  const path = join(directory, 'token')
  let now = 0
  const credential = new AgentCredential({ tokenFile: path }, () => now)
  expect(() => credential.authorization()).toThrow(/no readable token/)
  writeFileSync(path, 'one\n')
  expect(credential.authorization()).toBe('Bearer one')
  writeFileSync(path, 'two\n')
  expect(credential.authorization()).toBe('Bearer one')
  now += 60_000
  expect(credential.authorization()).toBe('Bearer two')
  now += 60_000
  writeFileSync(path, '')
  expect(credential.authorization()).toBe('Bearer two')
  writeFileSync(path, 'a b\r\nX: y')
  expect(credential.authorization()).toBe('Bearer two')
  rmSync(path)
  now += 60_000
  expect(credential.authorization()).toBe('Bearer two')
})
