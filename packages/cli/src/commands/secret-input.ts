/**
 * Secrets from where they do not show: file, stdin, environment; from the command line with a warning.
 * @module
 */
import type { Readable } from 'node:stream'
import { checkedSecret, maxSecretBytes, secretFromFile } from '../credentials/secret-file.ts'

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
  return checkedSecret(text, 'stdin')
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
  return { secret: checkedSecret(value, 'the flag'), wasVisible: true }
}
