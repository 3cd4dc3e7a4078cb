/**
 * Error codes of the directory: users, groups, service principals.
 * @module
 */
import { entry, type ErrorEntry } from './entry.ts'

/** Codes of this area. */
export const directoryErrors = {
  ERR_DIRECTORY_NOT_FOUND: entry(404, 'Request_ResourceNotFound', {
    exit: 3,
    remedy: 'list what there is: sallyport ad user list, ad group list, ad sp list',
  }),
  ERR_DIRECTORY_CONFLICT: entry(409, 'Request_MultipleObjectsWithSameKeyValue', {
    exit: 8,
    remedy: 'look at the current state of the named object',
  }),
  ERR_LAST_ADMINISTRATOR: entry(409, 'Request_LastAdministrator', {
    exit: 8,
    remedy: 'make another user or service principal administrator first',
  }),
  ERR_PASSWORD_REFUSED: entry(400, 'Request_BadRequest', {
    exit: 2,
    remedy: 'choose a password of 12 to 256 characters that is not the sign-in name',
  }),
} as const satisfies Record<string, ErrorEntry>
