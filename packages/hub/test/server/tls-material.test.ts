import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import { Secret } from '../../src/config/secret.ts'
import type { ServerConfig } from '../../src/config/server-config.ts'
import { certificateNames, loadTlsMaterial } from '../../src/server/tls-material.ts'
import { temporaryDirectory } from '../hub-fixture.ts'

const day = 24 * 60 * 60 * 1000
const start = new Date('2026-11-24T00:00:00Z')
const later = (ms: number): Date => new Date(start.getTime() + ms)
let directory: ReturnType<typeof temporaryDirectory>
let config: ServerConfig
beforeEach(() => {
  directory = temporaryDirectory()
  config = {
    dataDirectory: directory.path,
    listen: { host: '127.0.0.1', port: 0 },
    publicUrl: 'https://hub.example',
    tlsFiles: undefined,
    extraNames: ['other.example', '10.0.0.9'],
    logLevel: 'info',
  }
})
afterEach(() => {
  directory.remove()
})

const load = (now = start, names = certificateNames(config, 'https://hub.example')) =>
  loadTlsMaterial(config, names, now)

describe('minted certificate', () => {
  it('has every name, is signed by the CA it is shown with, and lives at most 397 days', async () => {
    const tls = await load()
    const [leaf, ca] = (
      tls.certificate.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []
    ).map((pem) => new X509Certificate(pem))
    if (leaf === undefined || ca === undefined) throw new Error('no chain')
    for (const host of ['localhost', 'hub.example', 'other.example']) {
      expect(leaf.checkHost(host, { subject: 'never' })).toBe(host)
    }
    for (const ip of ['127.0.0.1', '::1', '10.0.0.9']) expect(leaf.checkIP(ip)).toBeDefined()
    expect(leaf.checkHost('hub.evil', { subject: 'never' })).toBeUndefined()
    expect(leaf.verify(ca.publicKey)).toBe(true)
    expect([leaf.ca, ca.ca]).toEqual([false, true])
    const days = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / day
    expect(days).toBeLessThanOrEqual(397)
    expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    expect(tls.fingerprint).toBe(`sha256:${ca.fingerprint256}`)
    expect(tls.fingerprint).toMatch(/^sha256:([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  })

  it('keeps its keys private and publishes the CA', async () => {
    const tls = await load()
    for (const file of ['tls/ca.pem', 'tls/server.pem']) {
      expect(statSync(join(directory.path, file)).mode & 0o777).toBe(0o600)
    }
    expect(readFileSync(join(directory.path, 'ca.crt'), 'utf8')).toBe(tls.authority)
  })

  it('stays over restarts, and is renewed before it expires under the same CA', async () => {
    const first = await load()
    const second = await load(later(100 * day))
    expect(second).toEqual({ ...first, minted: false })
    const due = limits.serverCertificateTtlMs - limits.serverCertificateRenewBeforeMs
    const third = await load(later(due))
    expect(third.minted).toBe(true)
    expect(third.fingerprint).toBe(first.fingerprint)
    expect(third.key).not.toBe(first.key)
  })

  it('is renewed when names are added or removed, and not when they are only ordered differently', async () => {
    const names = certificateNames(config, 'https://hub.example')
    await load(start, names)
    expect((await load(start, names.toReversed())).minted).toBe(false)
    expect((await load(start, [...names, 'new.example'])).minted).toBe(true)
    expect((await load(start, names)).minted).toBe(true)
  })

  it('is minted again when its file is damaged; a damaged CA stops the start and stays as it is', async () => {
    await load()
    writeFileSync(join(directory.path, 'tls', 'server.pem'), 'half a fi', { mode: 0o600 })
    expect((await load()).minted).toBe(true)
    writeFileSync(join(directory.path, 'tls', 'ca.pem'), 'half a fi', { mode: 0o600 })
    await expect(load()).rejects.toMatchObject({ code: 'ERR_STATE_INVALID' })
    expect(readFileSync(join(directory.path, 'tls', 'ca.pem'), 'utf8')).toBe('half a fi')
  })
})

describe("the owner's certificate", () => {
  async function ownerFiles(): Promise<{
    certificate: string
    key: string
    passphrase: undefined
  }> {
    const minted = await load()
    const files = { certificate: join(directory.path, 'a.crt'), key: join(directory.path, 'a.key') }
    writeFileSync(files.certificate, minted.certificate)
    writeFileSync(files.key, minted.key)
    return { ...files, passphrase: undefined }
  }

  it('is shown as given, with its own fingerprint', async () => {
    config.tlsFiles = await ownerFiles()
    const tls = await load()
    expect(tls.fingerprintOf).toBe('certificate')
    expect(tls.authority).toBeUndefined()
    expect(tls.fingerprint).toBe(`sha256:${new X509Certificate(tls.certificate).fingerprint256}`)
  })

  it('is refused when key and certificate do not belong together, or are not what they should be', async () => {
    const files = await ownerFiles()
    config.tlsFiles = { ...files, passphrase: new Secret('x') }
    await expect(load()).resolves.toBeDefined()
    const wrong = expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }) as unknown
    config.tlsFiles = { ...files, key: files.certificate }
    await expect(load()).rejects.toEqual(wrong)
    config.tlsFiles = { ...files, certificate: files.key }
    await expect(load()).rejects.toEqual(wrong)
    config.tlsFiles = { ...files, key: join(directory.path, 'none') }
    await expect(load()).rejects.toMatchObject({ code: 'ERR_FILE_ACCESS' })
    const { key } = await loadTlsMaterial({ ...config, tlsFiles: undefined }, ['x.example'], start)
    writeFileSync(files.key, key)
    config.tlsFiles = files
    await expect(load()).rejects.toThrow(/does not belong/)
  })
})
