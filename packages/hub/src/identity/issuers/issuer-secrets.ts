/**
 * Client secrets of outside issuers: one file each, mode 0600, beside the keys and not in the store.
 * @module
 */
import { rmSync } from 'node:fs'
import {
  dataPath,
  fileError,
  readPrivateFile,
  writePrivateFile,
} from '../../server/data-directory.ts'

/** The secrets by alias, which `issuerAliasPattern` keeps from being a path. */
export interface IssuerSecrets {
  read: (alias: string) => string | undefined
  write: (alias: string, secret: string) => void
  remove: (alias: string) => void
}

/** Secrets in `keys/issuers/` of the data directory. */
export function issuerSecrets(dataDirectory: string): IssuerSecrets {
  const path = (alias: string): string => dataPath(dataDirectory, 'keys', 'issuers', alias)
  return {
    read: (alias) => readPrivateFile(path(alias)),
    write: (alias, secret) => {
      writePrivateFile(path(alias), secret)
    },
    remove: (alias) => {
      try {
        rmSync(path(alias), { force: true })
      } catch (error) {
        throw fileError(path(alias), 'remove', error)
      }
    },
  }
}
