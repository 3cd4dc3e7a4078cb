/**
 * Calls the agent makes for itself, under its own credential: fixed paths, read only, never a path a user sent.
 * @module
 */
import { limits, SallyportError } from '@sallyport/protocol'
import { buildConnector, Client, request } from 'undici'
import type { UpstreamTarget } from './target.ts'

const answerBytes = 16 * 1024 * 1024
const timeoutMs = limits.apiCallTimeoutMs

/** The API server answered one of the agent's own calls with something else than 200. */
export class AgentCallError extends SallyportError {
  readonly status: number

  /** ERR_UPSTREAM_AUTH for 401, ERR_UPSTREAM_UNREACHABLE for any other status. */
  constructor(status: number, path?: string) {
    super(
      status === 401 ? 'ERR_UPSTREAM_AUTH' : 'ERR_UPSTREAM_UNREACHABLE',
      `the API server answered ${status}`,
      path === undefined ? {} : { why: path },
    )
    this.status = status
  }
}

/** Connects to the API server with the certificate of the agent, if it has one. */
export function connectAsAgent({ address, credential }: UpstreamTarget): buildConnector.connector {
  return buildConnector({
    ...(address.ca === undefined ? {} : { ca: address.ca }),
    ...(address.serverName === undefined ? {} : { servername: address.serverName }),
    ...(credential.certificate === undefined
      ? {}
      : { cert: credential.certificate.certificate, key: credential.certificate.key }),
    rejectUnauthorized: address.verify,
    allowH2: false,
    maxCachedSessions: 0,
    timeout: limits.upstreamConnectTimeoutMs,
  })
}

function createClient(
  target: UpstreamTarget,
  bounds: { maxResponseSize: number; bodyTimeout: number },
): Client {
  return new Client(target.address.origin, {
    connect: connectAsAgent(target),
    allowH2: false,
    headersTimeout: timeoutMs,
    ...bounds,
  })
}

async function get(
  target: UpstreamTarget,
  path: string,
  via: { client: Client; signal: AbortSignal },
) {
  const { address, credential } = target
  const authorization = credential.authorization()
  const answer = await request(`${address.origin}${address.pathPrefix}${path}`, {
    dispatcher: via.client,
    signal: via.signal,
    headers: {
      accept: 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
  })
  if (answer.statusCode !== 200) throw new AgentCallError(answer.statusCode, path)
  return answer.body
}

/**
 * GETs JSON. @throws AgentCallError for any status but 200; the failure of the connection as it is.
 */
export async function readAsAgent(
  target: UpstreamTarget,
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  const client = createClient(target, { maxResponseSize: answerBytes, bodyTimeout: timeoutMs })
  try {
    const body = await get(target, path, { client, signal })
    return await body.json()
  } finally {
    await client.destroy()
  }
}

/**
 * The events of a watch, one JSON value a line, until the server ends it or says nothing for `watchSilenceMs` (it sends
 * bookmarks each minute). @throws as `readAsAgent`.
 */
export async function* watchAsAgent(
  target: UpstreamTarget,
  watch: { path: string; signal: AbortSignal; onOpen: () => void },
): AsyncGenerator {
  const client = createClient(target, {
    maxResponseSize: -1,
    bodyTimeout: limits.watchSilenceMs,
  })
  try {
    const body = await get(target, watch.path, { client, signal: watch.signal })
    watch.onOpen()
    let rest = ''
    body.setEncoding('utf8')
    for await (const chunk of body) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > answerBytes)
        throw new SallyportError('ERR_UPSTREAM_UNREACHABLE', 'an event of a watch is too long')
      for (const line of lines) if (line !== '') yield JSON.parse(line)
    }
  } finally {
    await client.destroy()
  }
}
