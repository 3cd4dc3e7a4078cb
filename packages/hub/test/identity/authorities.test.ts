/**
 * The file of authorities for outside issuers: read whole or refused by name.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readAuthorities } from '../../src/identity/issuers/authorities.ts'
import { mintAuthority } from '../../src/server/certificate-authority.ts'
import { temporaryDirectory } from '../hub-fixture.ts'

const directory = temporaryDirectory()
afterAll(() => {
  directory.remove()
})
const file = (name: string, content: string): string => {
  const path = join(directory.path, name)
  writeFileSync(path, content)
  return path
}

describe('readAuthorities', () => {
  it('reads every certificate of the file, none without a file', async () => {
    const one = await mintAuthority(new Date())
    const two = await mintAuthority(new Date())
    expect(readAuthorities(file('two', `# ours\n${one.certificate}\n${two.certificate}`))).toEqual([
      one.certificate.trim(),
      two.certificate.trim(),
    ])
    expect(readAuthorities(undefined)).toEqual([])
  })

  it('names the file that is absent, empty or no certificate', () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    for (const path of [join(directory.path, 'absent'), file('empty', ''), file('x', broken)]) {
      expect(() => readAuthorities(path)).toThrow(path)
    }
  })
})
