/**
 * Rules for the names people give: sign-in names, display names, mail addresses.
 * @module
 */
import { isGuid, limits, SallyportError } from '@sallyport/protocol'

// ASCII only, as in Entra: no two different names look alike, none carries a control or a direction mark. `+` is for mail addresses.
const userPrincipalNamePattern =
  /^[A-Za-z0-9](?:[A-Za-z0-9'._!#^~+-]*[A-Za-z0-9'_!#^~+-])?@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/

// Controls, format characters (zero width, directions, tags), half surrogates, private use, line and paragraph separators.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u

/** Whether a text may be a user principal name: `local@domain` in ASCII, at most 256 characters. */
export function isUserPrincipalName(text: string): boolean {
  return text.length <= limits.userPrincipalNameLength && userPrincipalNamePattern.test(text)
}

/** The name as it is compared. */
export function upnKey(userPrincipalName: string): string {
  return userPrincipalName.toLowerCase()
}

/** @throws SallyportError ERR_ARM_INVALID_REQUEST. */
export function checkedUserPrincipalName(text: string): string {
  if (isUserPrincipalName(text)) return text
  throw invalid(
    'userPrincipalName',
    `must look like name@domain, of ASCII letters, digits and '._!#^~+-, at most ${limits.userPrincipalNameLength} characters`,
  )
}

/** Whether a text may be a display name: 1 to 256 printable characters, no blank at either end. */
export function isDisplayName(text: string): boolean {
  return (
    text !== '' &&
    text.length <= limits.displayNameLength &&
    text.trim() === text &&
    !unprintable.test(text)
  )
}

/** @throws SallyportError ERR_ARM_INVALID_REQUEST naming `field`. */
export function checkedDisplayName(text: string, field = 'displayName'): string {
  if (isDisplayName(text)) return text
  throw invalid(
    field,
    `must have 1 to ${limits.displayNameLength} printable characters and no blank at either end`,
  )
}

/** @throws SallyportError ERR_ARM_INVALID_REQUEST. A mail address follows the rule of sign-in names. */
export function checkedMail(text: string): string {
  if (isUserPrincipalName(text)) return text
  throw invalid('mail', 'must be a mail address in ASCII')
}

/** The normal form of an object id, a GUID. @throws SallyportError ERR_ARM_INVALID_REQUEST naming `field`. */
export function checkedObjectId(text: string, field = 'id'): string {
  if (isGuid(text)) return text.toLowerCase()
  throw invalid(field, 'must be a GUID')
}

function invalid(target: string, rule: string): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `'${target}' ${rule}`, { target })
}
