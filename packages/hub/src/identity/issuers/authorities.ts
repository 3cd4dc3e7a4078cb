/**
 * Certificate authorities the owner trusts for outside issuers.
 * @module
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SallyportError } from '@sallyport/protocol'

const certificates = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Reads PEM certificates; none without a file. @throws SallyportError ERR_CONFIG_INVALID. */
export function readAuthorities(file: string | undefined): string[] {
  if (file === undefined) return []
  try {
    const found = readFileSync(file, 'utf8').match(certificates) ?? []
    for (const certificate of found) new X509Certificate(certificate)
    if (found.length > 0) return found
  } catch (cause) {
    throw unusable(file, cause)
  }
  throw unusable(file)
}

function unusable(file: string, cause?: unknown): SallyportError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return new SallyportError(
    'ERR_CONFIG_INVALID',
    `--issuer-ca-file ${file} is not a file of PEM certificates`,
    { cause, ...(code === undefined ? {} : { why: code }) },
  )
}
