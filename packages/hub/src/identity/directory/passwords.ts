/**
 * Passwords of people: argon2id (RFC 9106) as PHC strings, so that parameters can grow; few hashes at once, because each one
 * takes 19 MiB and a thread.
 * @module
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { limits, SallyportError } from '@sallyport/protocol'

/** Cost of one hash: memory in KiB, passes over it, lanes. */
export interface PasswordCost {
  memory: number
  passes: number
  parallelism: number
}

/** Cost of new hashes (OWASP's minimum for argon2id). */
export const passwordCost: PasswordCost = {
  memory: limits.passwordHashMemoryBytes / 1024,
  passes: limits.passwordHashPasses,
  parallelism: 1,
}

const derive = promisify(argon2)
const saltBytes = 16
const hashBytes = 32
const unknownSalt = randomBytes(saltBytes)

/**
 * The rule for new passwords: long enough, not too long to hash, not the name everybody knows.
 * @throws SallyportError ERR_PASSWORD_REFUSED.
 */
export function checkNewPassword(password: string, userPrincipalName: string): void {
  const { length } = Array.from(password)
  if (length < limits.passwordMinLength) {
    throw refused(`a password has at least ${limits.passwordMinLength} characters`)
  }
  if (password.length > limits.passwordMaxLength) {
    throw refused(`a password has at most ${limits.passwordMaxLength} characters`)
  }
  if (!password.isWellFormed()) throw refused('the password is not well-formed Unicode')
  const upn = userPrincipalName.toLowerCase()
  if ([upn, upn.split('@')[0]].includes(password.normalize('NFKC').toLowerCase())) {
    throw refused('the password is the sign-in name')
  }
}

/** Hashes a password into a PHC string. @throws SallyportError ERR_RATE_LIMITED when too many wait. */
export async function hashPassword(password: string, cost = passwordCost): Promise<string> {
  const salt = randomBytes(saltBytes)
  const hash = await deriveInTurn(password, salt, { cost, length: hashBytes })
  const { memory, passes, parallelism } = cost
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`
}

/** Whether `password` is the hashed one. Without a hash it takes as long and says no: an unknown user must not answer faster. */
export async function isPasswordOf(password: string, phc: string | null): Promise<boolean> {
  const stored = phc === null ? undefined : parsePhc(phc)
  const { cost, salt, hash } = stored ?? { cost: passwordCost, salt: unknownSalt, hash: undefined }
  // Longer than any password can be: the effort is spent all the same, on a part of it.
  const text = password.slice(0, limits.passwordMaxLength)
  const actual = await deriveInTurn(text, salt, { cost, length: hash?.length ?? hashBytes })
  if (hash === undefined || text.length !== password.length) return false
  return timingSafeEqual(hash, actual)
}

/** Whether a hash was made with less effort than new ones are. */
export function isOutdatedHash(phc: string): boolean {
  const cost = parsePhc(phc)?.cost
  if (cost === undefined) return true
  return cost.memory < passwordCost.memory || cost.passes < passwordCost.passes
}

const phcPattern =
  /^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,3}),p=([0-9]{1,3})\$([A-Za-z0-9+/]{11,88})\$([A-Za-z0-9+/]{16,88})$/

function parsePhc(phc: string): { cost: PasswordCost; salt: Buffer; hash: Buffer } | undefined {
  const [, memory, passes, parallelism, salt = '', hash = ''] = phcPattern.exec(phc) ?? []
  if (memory === undefined) return undefined
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  }
}

const waiting: (() => void)[] = []
let running = 0

/** One hash when it is its turn; an attacker's flood waits behind a bound and is then refused. */
async function deriveInTurn(
  password: string,
  salt: Buffer,
  { cost, length }: { cost: PasswordCost; length: number },
): Promise<Buffer> {
  if (running < limits.passwordHashesAtOnce) running += 1
  else if (waiting.length >= limits.passwordHashesWaiting) {
    throw new SallyportError('ERR_RATE_LIMITED', 'too many passwords are being checked', {
      retryAfterSeconds: 2,
    })
  } else {
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  try {
    // NFKC: the same password typed on two keyboards is the same bytes (NIST SP 800-63B section 5.1.1.2).
    const message = Buffer.from(password.normalize('NFKC'))
    return await derive('argon2id', { ...cost, message, nonce: salt, tagLength: length })
  } finally {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

function refused(message: string): SallyportError {
  return new SallyportError('ERR_PASSWORD_REFUSED', message, { target: 'password' })
}
