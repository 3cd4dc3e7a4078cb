/**
 * Claims read by name: own members only, exact names only, no value bent into another type (X044, X046, X048).
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { isJsonObject, type JsonObject } from './strict-json.ts'

/** The claim of that name; failing that, the one at the dotted path. Undefined when there is none. */
export function claimAt(claims: JsonObject, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let value: unknown = claims
  for (const part of name.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, part)) return undefined
    value = value[part]
  }
  return value
}

/** A text claim; undefined when it is absent or empty. @throws SallyportError ERR_ISSUER_REFUSED when it is of another type. */
export function textClaim(claims: JsonObject, name: string): string | undefined {
  const value = claimAt(claims, name)
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  throw refused(`the claim '${name}' is not a text`)
}

/** A list of texts; empty when it is absent. A single text is an error: which other way of writing would be next? */
export function listClaim(claims: JsonObject, name: string): string[] {
  const value = claimAt(claims, name)
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  throw refused(`the claim '${name}' is not a list of texts`)
}

/** A mail address that the issuer says it has verified: the JSON value true and nothing else. */
export function verifiedMail(claims: JsonObject, name: string): string | undefined {
  return claimAt(claims, 'email_verified') === true ? textClaim(claims, name) : undefined
}

/** Domain of a plain mail address; undefined for quoted, doubled, dotted or non-ASCII ones, which are not taken apart (X047). */
export function domainOf(mail: string): string | undefined {
  const [, domain] =
    /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63})$/.exec(
      mail,
    ) ?? []
  return domain?.toLowerCase()
}

/** The refusal of a person or token of an outside issuer, in words the person is shown. */
export function refused(why: string, cause?: unknown): SallyportError {
  return new SallyportError('ERR_ISSUER_REFUSED', 'this sign-in was not accepted', { why, cause })
}
