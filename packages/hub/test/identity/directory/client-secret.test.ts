import { describe, expect, it } from 'vitest'
import {
  hashSecret,
  isSecretOf,
  makeClientSecret,
} from '../../../src/identity/directory/client-secret.ts'

describe('client secrets', () => {
  it('have 256 random bits and never look like a flag', () => {
    const made = Array.from({ length: 200 }, makeClientSecret)
    expect(new Set(made).size).toBe(200)
    for (const secret of made) expect(secret).toMatch(/^sp_[A-Za-z0-9_-]{43}$/)
  })

  it('match only themselves, and two hashes of one secret differ', async () => {
    const secret = makeClientSecret()
    const [first, second] = await Promise.all([hashSecret(secret), hashSecret(secret)])
    expect(first.hash).not.toBe(second.hash)
    expect(JSON.stringify(first)).not.toContain(secret)
    await expect(isSecretOf(secret, first)).resolves.toBe(true)
    await expect(isSecretOf(secret.slice(0, -1), first)).resolves.toBe(false)
    await expect(isSecretOf(`${secret}x`, first)).resolves.toBe(false)
    await expect(isSecretOf(secret, { ...first, cost: 4096 })).resolves.toBe(false)
    await expect(isSecretOf(secret, { ...first, hash: '' })).resolves.toBe(false)
  })
})
