/**
 * Rules for tags beyond their sizes (Azure: tag names and their characters).
 * @module
 */
import { SallyportError, limits, type Tags } from '@sallyport/protocol'

/**
 * Returns the tags when every name keeps the rules: 1 to 512 characters, none of `<>%&\?/` or control characters, and no two
 * that differ only in case.
 * @throws SallyportError ERR_ARM_INVALID_REQUEST.
 */
export function checkedTags(tags: Tags): Tags {
  const names = Object.keys(tags)
  for (const name of names) {
    const fits = name.length >= 1 && name.length <= limits.armTagNameLength
    if (!fits || /[<>%&\\?/\p{Cc}\u2028\u2029]/u.test(name)) {
      throw invalid('a tag name has 1 to 512 characters and none of < > % & \\ ? /')
    }
  }
  if (new Set(names.map((name) => name.toLowerCase())).size !== names.length) {
    throw invalid('two tag names differ only in case')
  }
  return tags
}

function invalid(rule: string): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `'tags' are not valid: ${rule}`, {
    target: 'tags',
  })
}
