/**
 * The first request: through listener, link, agent and API server, with the very credentials kubectl will use.
 * @module
 */
import { request } from 'node:https'
import Type from 'typebox'
import { SallyportError, errorRegistry, limits, parser, type ErrorCode } from '@sallyport/protocol'
import type { LocalCertificates } from './certificates.ts'

/** What the cluster answered. */
export interface ProbeAnswer {
  /** `v1.34.1`, when the identity may read it. */
  kubernetesVersion?: string
}

interface RawAnswer {
  status: number
  text: string
}

const parseVersion = parser(Type.Object({ gitVersion: Type.String({ maxLength: 64 }) }), 'version')

const parseStatus = parser(
  Type.Object({
    kind: Type.Literal('Status'),
    message: Type.Optional(Type.String()),
    details: Type.Optional(
      Type.Object({
        causes: Type.Optional(
          Type.Array(
            Type.Object({
              reason: Type.Optional(Type.String()),
              message: Type.Optional(Type.String()),
            }),
          ),
        ),
      }),
    ),
  }),
  'status',
)

/** An answer to `GET /version` is a kilobyte. */
const maxAnswerBytes = 1024 * 1024

/**
 * Sends `GET /version`. Any answer of the API server itself counts, also 403.
 * @throws SallyportError ERR_KUBERNETES_TOKEN for a 401 with a token; the agent's error when it could not forward; ERR_TIMEOUT.
 */
export async function probe(options: {
  port: number
  certificates: LocalCertificates
  token: string | undefined
  signal: AbortSignal
}): Promise<ProbeAnswer> {
  const { status, text } = await get(options)
  if (status === 401 && options.token !== undefined) {
    throw new SallyportError(
      'ERR_KUBERNETES_TOKEN',
      'the API server refuses this service account token',
      {
        why: 'it is wrong, expired, or its account was deleted',
        remedy: 'make a new one: kubectl create token SERVICE_ACCOUNT',
      },
    )
  }
  if (status >= 400 && status !== 403) throw statusError(status, text)
  try {
    return { kubernetesVersion: parseVersion(JSON.parse(text)).gitVersion }
  } catch {
    return {}
  }
}

async function get(options: Parameters<typeof probe>[0]): Promise<RawAnswer> {
  const { port, certificates, token } = options
  const late = AbortSignal.timeout(limits.proxyReadyTimeoutMs)
  const signal = AbortSignal.any([options.signal, late])
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
  const sent = request(
    {
      host: '127.0.0.1',
      port,
      path: '/version',
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ca: certificates.ca,
      cert: certificates.clientCertificate,
      key: certificates.clientKey,
      agent: false,
      signal,
    },
    (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > maxAnswerBytes) response.destroy(new Error('the answer is too large'))
      })
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text })
      })
    },
  )
  sent.on('error', reject)
  sent.end()
  try {
    return await promise
  } catch (cause) {
    if (options.signal.aborted) throw options.signal.reason
    if (late.aborted) {
      throw new SallyportError(
        'ERR_TIMEOUT',
        'the API server did not answer through the tunnel in time',
        { cause },
      )
    }
    throw new SallyportError(
      'ERR_LINK_LOST',
      'the connection to the agent broke before the API server answered',
      {
        cause,
        ...(cause instanceof Error ? { why: cause.message } : {}),
      },
    )
  } finally {
    sent.destroy()
  }
}

const isCode = (text: string): text is ErrorCode => Object.hasOwn(errorRegistry, text)

function statusError(status: number, text: string): SallyportError {
  try {
    const { message, details } = parseStatus(JSON.parse(text))
    const cause = details?.causes?.find(({ reason }) => reason !== undefined && isCode(reason))
    if (cause?.reason !== undefined && isCode(cause.reason)) {
      return new SallyportError(
        cause.reason,
        cause.message ?? message ?? 'the agent refused the request',
      )
    }
    return new SallyportError(
      'ERR_UPSTREAM_UNREACHABLE',
      `the API server answered with status ${status}`,
      {
        ...(message === undefined ? {} : { why: message }),
      },
    )
  } catch {
    return new SallyportError(
      'ERR_UPSTREAM_UNREACHABLE',
      `the API server answered with status ${status}`,
    )
  }
}
