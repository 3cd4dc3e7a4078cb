/**
 * Client secrets: made at random, kept as scrypt hashes, compared in constant time.
 * @module
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** A hashed secret with all that is needed to check one against it. */
export interface SecretHash {
  salt: string
  hash: string
  cost: number
  block_size: number
  parallelism: number
}

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number }, Buffer>(
  scrypt,
)

// The secrets are 256 random bits, so stretching adds nothing against guessing; 16 MiB keeps a flood of requests affordable.
const parameters = { cost: 16_384, block_size: 8, parallelism: 1 } as const
const hashBytes = 32

/** A new secret: 256 random bits (T-RND-1). The prefix lets secret scanners find it and keeps it from looking like a flag. */
export function makeClientSecret(): string {
  return `sp_${randomBytes(32).toString('base64url')}`
}

/** Hashes a secret for the store. */
export async function hashSecret(secret: string): Promise<SecretHash> {
  const salt = randomBytes(16)
  const hash = await deriveWith(secret, salt, parameters)
  return { ...parameters, salt: salt.toString('base64url'), hash: hash.toString('base64url') }
}

/** Whether `secret` is the hashed one. */
export async function isSecretOf(secret: string, stored: SecretHash): Promise<boolean> {
  const expected = Buffer.from(stored.hash, 'base64url')
  const actual = await deriveWith(secret, Buffer.from(stored.salt, 'base64url'), stored)
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

/** Takes as long as `isSecretOf` and says no: an unknown client must not answer faster than a wrong secret. */
export async function spendAsMuch(secret: string): Promise<false> {
  await deriveWith(secret, Buffer.alloc(16), parameters)
  return false
}

function deriveWith(
  secret: string,
  salt: Buffer,
  { cost, block_size, parallelism }: Pick<SecretHash, 'cost' | 'block_size' | 'parallelism'>,
): Promise<Buffer> {
  return derive(secret, salt, hashBytes, { N: cost, r: block_size, p: parallelism })
}
