/**
 * Which cluster `connect` means, and which kubeconfigs an agent cannot live with.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { readKubeContext } from '../../src/kubeconfig/kube-context.ts'
import { temporaryDirectory } from '../run-cli.ts'

interface Parts {
  cluster?: object
  user?: object
  name?: string
  current?: string | undefined
}

function config({ cluster, user, name = 'a', current }: Parts = {}): string {
  return stringify({
    clusters: [{ name, cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [{ name, user: { token: 'T', ...user } }],
    ...(current === undefined ? {} : { 'current-context': current }),
  })
}

function write(text: string, file = join(temporaryDirectory(), 'config')): string {
  writeFileSync(file, text)
  return file
}

describe('context', () => {
  it('the named one, else the first current one over all files', () => {
    const first = write(config({ name: 'a' }))
    const second = write(config({ name: 'b', current: 'b' }))
    expect(readKubeContext([first, '/missing', second], undefined)).toMatchObject({
      file: second,
      context: 'b',
    })
    expect(readKubeContext([first, second], 'a').file).toBe(first)
    expect(() => readKubeContext([first, second], 'c')).toThrow(
      expect.objectContaining({ code: 'ERR_KUBECONFIG', why: "it has no context 'c'" }),
    )
    expect(() => readKubeContext([first], undefined)).toThrow(/cannot be used/)
    expect(() => readKubeContext(['/missing'], 'a')).toThrow(
      expect.objectContaining({ target: '/missing' }),
    )
  })
  it('inline data, files beside the kubeconfig, a token file', () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'ca.crt'), 'CA')
    writeFileSync(join(directory, 'token'), 'FILE-TOKEN\n')
    const file = write(
      config({
        cluster: { 'certificate-authority': 'ca.crt' },
        user: { token: undefined, tokenFile: 'token' },
      }),
      join(directory, 'config'),
    )
    expect(readKubeContext([file], 'a')).toMatchObject({ ca: 'CA', token: 'FILE-TOKEN' })
    const inline = write(
      config({
        user: {
          'client-certificate-data': Buffer.from('C').toString('base64'),
          'client-key-data': Buffer.from('K').toString('base64'),
        },
      }),
    )
    expect(readKubeContext([inline], 'a')).toMatchObject({ certificate: 'C', key: 'K' })
  })
  it.each<[string, Parts, RegExp]>([
    ['exec', { user: { exec: { command: 'aws' } } }, /runs a program/],
    ['auth-provider', { user: { 'auth-provider': { name: 'gcp' } } }, /auth-provider/],
    ['password', { user: { username: 'u', password: 'p' } }, /password/],
    ['impersonation', { user: { as: 'x' } }, /impersonates/],
    ['proxy-url', { cluster: { 'proxy-url': 'http://p' } }, /proxy-url/],
    ['no verification', { cluster: { 'insecure-skip-tls-verify': true } }, /verification/],
    ['http', { cluster: { server: 'http://10.0.0.1' } }, /https/],
    ['no credential', { user: { token: undefined } }, /neither/],
  ])('%s is refused with the reason', (_name, parts, why) => {
    const file = write(config(parts))
    try {
      readKubeContext([file], 'a')
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_KUBECONFIG', target: file })
      expect((error as { why: string }).why).toMatch(why)
    }
  })
})
