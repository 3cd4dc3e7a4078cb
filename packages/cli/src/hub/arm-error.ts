/**
 * ARM errors turned back into ours.
 * @module
 */
import Type from 'typebox'
import {
  ArmErrorSchema,
  SallyportError,
  errorRegistry,
  jsonParser,
  type ErrorCode,
} from '@sallyport/protocol'
import type { HubResponse } from './transport.ts'

const parse = jsonParser(ArmErrorSchema, 'error')

const byStatus: Record<number, ErrorCode> = {
  400: 'ERR_ARM_INVALID_REQUEST',
  401: 'ERR_AUTH_REQUIRED',
  403: 'ERR_FORBIDDEN',
  404: 'ERR_ARM_NOT_FOUND',
  409: 'ERR_ARM_CONFLICT',
  412: 'ERR_ARM_PRECONDITION',
  413: 'ERR_ARM_BODY_TOO_LARGE',
  429: 'ERR_RATE_LIMITED',
  502: 'ERR_HUB_UNREACHABLE',
  503: 'ERR_HUB_UNREACHABLE',
  504: 'ERR_HUB_UNREACHABLE',
}

const isCode = (text: unknown): text is ErrorCode =>
  typeof text === 'string' && Object.hasOwn(errorRegistry, text)

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

/** The error an answer stands for: our own code when the hub sent one, else by status. */
export function armError(response: HubResponse): SallyportError {
  const { status, requestId } = response
  const seconds = Number(response.headers['retry-after'])
  const retry = Number.isFinite(seconds) && seconds > 0 ? { retryAfterSeconds: seconds } : {}
  let body
  try {
    body = parse(response.text).error
  } catch {
    const code = byStatus[status] ?? 'ERR_INTERNAL'
    return new SallyportError(code, `the hub answered with status ${status}`, {
      requestId,
      ...retry,
    })
  }
  // ARM carries our own words in `additionalInfo`, Graph in `innerError`.
  const info =
    body.additionalInfo?.find(({ type }) => type === 'SallyportError')?.info ??
    innerError(response.text)
  const code = isCode(info['code']) ? info['code'] : (byStatus[status] ?? 'ERR_INTERNAL')
  const why = text(info['why'])
  const remedy = text(info['remedy'])
  return new SallyportError(code, body.message, {
    requestId,
    ...retry,
    ...(why === undefined ? {} : { why }),
    ...(remedy === undefined ? {} : { remedy }),
    ...(body.target === undefined ? {} : { target: body.target }),
  })
}

const parseInner = jsonParser(
  Type.Object({ error: Type.Object({ innerError: Type.Record(Type.String(), Type.Unknown()) }) }),
  'error',
)

function innerError(body: string): Record<string, unknown> {
  try {
    return parseInner(body).error.innerError
  } catch {
    return {}
  }
}
