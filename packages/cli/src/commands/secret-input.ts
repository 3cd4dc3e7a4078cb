/**
 * Secrets from where they do not show: file, stdin, environment; from the command line with a warning.
 * @module
 */
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { SallyportError, limits } from '@sallyport/protocol'
import { fileError } from '../credentials/file-error.ts'

/** A secret is a line, not a book. */
const maxSecretBytes = limits.clusterTokenBytes

/** Reads a file; its last line break is not part of the secret. @throws SallyportError ERR_FILE_ACCESS, ERR_USAGE when empty. */
export function secretFromFile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(path, 'read', error)
  }
  return checked(text, path)
}

/** Reads stdin to its end. @throws SallyportError ERR_USAGE when empty or too long. */
export async function secretFromStdin(stdin: Readable, signal: AbortSignal): Promise<string> {
  let text = ''
  const stop = () => stdin.destroy(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of stdin) {
      text += String(chunk)
      if (text.length > maxSecretBytes) break
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
  return checked(text, 'stdin')
}

function checked(text: string, source: string): string {
  const secret = text.replace(/\r?\n$/, '')
  const isUsable = secret !== '' && secret.length <= maxSecretBytes && !/[\r\n\0]/.test(secret)
  if (isUsable) return secret
  throw new SallyportError('ERR_USAGE', `${source} does not hold a secret of one line`)
}

/** The secret meant by a value of `-p` or `--token`: `-` is stdin, `@file` a file, else the value itself. */
export async function secretFromFlag(
  value: string,
  source: { stdin: Readable; signal: AbortSignal },
): Promise<{ secret: string; wasVisible: boolean }> {
  if (value === '-') {
    return { secret: await secretFromStdin(source.stdin, source.signal), wasVisible: false }
  }
  if (value.startsWith('@')) return { secret: secretFromFile(value.slice(1)), wasVisible: false }
  return { secret: checked(value, 'the flag'), wasVisible: true }
}
