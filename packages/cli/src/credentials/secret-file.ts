/**
 * A secret in a file of its own.
 * @module
 */
import { readFileSync } from 'node:fs'
import { SallyportError, limits } from '@sallyport/protocol'
import { fileError } from './file-error.ts'

/** A secret is a line, not a book. */
export const maxSecretBytes = limits.clusterTokenBytes

/** Reads a file; its last line break is not part of the secret. @throws SallyportError ERR_FILE_ACCESS, ERR_USAGE when empty. */
export function secretFromFile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(path, 'read', error)
  }
  return checkedSecret(text, path)
}

/** The secret of a text without its last line break. @throws SallyportError ERR_USAGE naming the source, never the text. */
export function checkedSecret(text: string, source: string): string {
  const secret = text.replace(/\r?\n$/, '')
  const isUsable = secret !== '' && secret.length <= maxSecretBytes && !/[\r\n\0]/.test(secret)
  if (isUsable) return secret
  throw new SallyportError('ERR_USAGE', `${source} does not hold a secret of one line`)
}
