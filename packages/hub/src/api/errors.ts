/**
 * What went wrong before a handler ran, in our own errors, so that every answer is the ARM envelope and names the field.
 * @module
 */
import type { FastifyError, FastifyInstance } from 'fastify'
import { SallyportError, limits } from '@sallyport/protocol'

/** One finding of the validator (ajv's shape, also TypeBox's). */
interface Finding {
  instancePath?: string
  message?: string
  params?: { requiredProperties?: string[]; missingProperty?: string }
}

/** Translates errors of fastify in `scope`; the application around it sends them. */
export function translateErrors(scope: FastifyInstance): void {
  scope.setErrorHandler((error) => {
    throw toSallyportError(error)
  })
}

/** An error of ours as it is; fastify's own by their code; the rest unchanged. */
export function toSallyportError(error: unknown): unknown {
  if (error instanceof SallyportError || !(error instanceof Error)) return error
  const { code, validation, validationContext } = error as Partial<FastifyError>
  if (validation !== undefined) {
    const [first] = validation as Finding[]
    return invalidField(first ?? {}, validationContext ?? 'body', error)
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new SallyportError(
      'ERR_ARM_BODY_TOO_LARGE',
      `the body is larger than ${limits.httpMaxBodyBytes} bytes`,
      { cause: error },
    )
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new SallyportError('ERR_ARM_INVALID_REQUEST', 'the body must be application/json', {
      cause: error,
      target: 'content-type',
    })
  }
  return error
}

function invalidField(finding: Finding, part: string, cause: Error): SallyportError {
  const path = (finding.instancePath ?? '').split('/').slice(1).map(unescapePointer)
  const missing = finding.params?.requiredProperties?.[0] ?? finding.params?.missingProperty
  const target = [...path, ...(missing === undefined ? [] : [missing])].join('.')
  const rule = missing === undefined ? (finding.message ?? 'is not valid') : 'is required'
  const where = target === '' ? `the ${part}` : `'${target}'`
  return new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    `The request content is not valid: ${where} ${rule}.`,
    {
      cause,
      target: target === '' ? part : target,
    },
  )
}

function unescapePointer(text: string): string {
  return text.replaceAll('~1', '/').replaceAll('~0', '~')
}
