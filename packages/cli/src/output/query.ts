/**
 * `--query`: JMESPath, the language of az.
 * @module
 */
import jmespath from 'jmespath'
import { SallyportError } from '@sallyport/protocol'

/**
 * Applies an expression to a JSON value.
 * @throws SallyportError ERR_USAGE when the expression is malformed.
 */
export function query(value: unknown, expression: string): unknown {
  try {
    return jmespath.search(value, expression) as unknown
  } catch (cause) {
    throw new SallyportError('ERR_USAGE', `--query '${expression}' is not valid JMESPath`, {
      cause,
      ...(cause instanceof Error ? { why: cause.message } : {}),
      remedy:
        "see https://jmespath.org; an example: --query '[].{name:name, status:connectivityStatus}'",
    })
  }
}
