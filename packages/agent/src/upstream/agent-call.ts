/**
 * Calls the agent makes for itself, under its own credential: fixed paths, read only, never a path a user sent.
 * @module
 */
import { limits, SallyportError } from '@sallyport/protocol'
import { buildConnector, Client, request } from 'undici'
import type { UpstreamTarget } from './target.ts'

const answerBytes = 16 * 1024 * 1024
const timeoutMs = limits.apiCallTimeoutMs

/**
 * GETs JSON. @throws SallyportError ERR_UPSTREAM_AUTH (401), ERR_UPSTREAM_UNREACHABLE (any other status); the failure of the connection as it is.
 */
export async function readAsAgent(
  target: UpstreamTarget,
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  const { address, credential } = target
  const authorization = credential.authorization()
  const client = new Client(address.origin, {
    connect: buildConnector({
      ...(address.ca === undefined ? {} : { ca: address.ca }),
      ...(address.serverName === undefined ? {} : { servername: address.serverName }),
      ...(credential.certificate === undefined
        ? {}
        : { cert: credential.certificate.certificate, key: credential.certificate.key }),
      rejectUnauthorized: address.verify,
      allowH2: false,
      maxCachedSessions: 0,
      timeout: limits.upstreamConnectTimeoutMs,
    }),
    allowH2: false,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: answerBytes,
  })
  try {
    const answer = await request(`${address.origin}${address.pathPrefix}${path}`, {
      dispatcher: client,
      signal,
      headers: {
        accept: 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
    })
    if (answer.statusCode === 200) return await answer.body.json()
    const code = answer.statusCode === 401 ? 'ERR_UPSTREAM_AUTH' : 'ERR_UPSTREAM_UNREACHABLE'
    throw new SallyportError(code, `the API server answered ${answer.statusCode}`, { why: path })
  } finally {
    await client.destroy()
  }
}
