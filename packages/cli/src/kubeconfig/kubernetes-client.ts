/**
 * The few calls `connect` and `delete` make to an API server.
 * @module
 */
import { Agent, request } from 'undici'
import Type, { type Static, type TSchema } from 'typebox'
import { SallyportError, jsonParser, limits } from '@sallyport/protocol'
import type { KubeContext } from './kube-context.ts'

const parseStatus = jsonParser(
  Type.Object({ message: Type.String({ maxLength: 4_096 }) }),
  'status',
)

/** An API server as one user sees it. */
export interface KubernetesClient {
  get: <T extends TSchema>(path: string, schema: T, signal: AbortSignal) => Promise<Static<T>>
  post: <T extends TSchema>(
    call: { path: string; body: unknown },
    schema: T,
    signal: AbortSignal,
  ) => Promise<Static<T>>
  /** Deletes exactly the object with this uid; one that is gone or was replaced is fine. */
  delete: (call: { path: string; uid: string }, signal: AbortSignal) => Promise<void>
  close: () => Promise<void>
}

interface KubernetesAnswer {
  status: number
  text: string
}

/** Makes a client. Its calls throw SallyportError ERR_KUBERNETES_UNREACHABLE, ERR_KUBERNETES_TOKEN, ERR_KUBERNETES_FORBIDDEN. */
export function createKubernetesClient(context: KubeContext): KubernetesClient {
  const { ca, certificate: cert, key, serverName } = context
  const agent = new Agent({
    connect: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      timeout: limits.upstreamConnectTimeoutMs,
    },
    allowH2: false,
  })
  const send = async <T extends TSchema>(
    call: { method: 'GET' | 'POST'; path: string; body?: unknown },
    schema: T,
    signal: AbortSignal,
  ): Promise<Static<T>> => {
    const answer = await exchange(context, agent, { ...call, signal })
    if (answer.status >= 300) throw refused(context, call, answer)
    return jsonParser(schema, call.path, 'ERR_KUBERNETES_UNREACHABLE')(answer.text)
  }
  return {
    get: (path, schema, signal) => send({ method: 'GET', path }, schema, signal),
    post: (call, schema, signal) => send({ method: 'POST', ...call }, schema, signal),
    delete: async ({ path, uid }, signal) => {
      const call = { method: 'DELETE', path, body: { preconditions: { uid } } } as const
      const answer = await exchange(context, agent, { ...call, signal })
      const isGone = answer.status === 404 || answer.status === 409
      if (answer.status >= 300 && !isGone) throw refused(context, call, answer)
    },
    close: () => agent.destroy(),
  }
}

async function exchange(
  context: KubeContext,
  agent: Agent,
  call: { method: 'GET' | 'POST' | 'DELETE'; path: string; body?: unknown; signal: AbortSignal },
): Promise<KubernetesAnswer> {
  const { server, token } = context
  const late = AbortSignal.timeout(limits.apiCallTimeoutMs)
  try {
    const answer = await request(`${server.href.replace(/\/+$/, '')}${call.path}`, {
      dispatcher: agent,
      method: call.method,
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: AbortSignal.any([call.signal, late]),
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  } catch (cause) {
    if (call.signal.aborted) throw call.signal.reason
    throw new SallyportError(
      'ERR_KUBERNETES_UNREACHABLE',
      `the API server ${server.origin} cannot be reached`,
      {
        cause,
        why: late.aborted
          ? 'no answer in time'
          : cause instanceof Error
            ? cause.message
            : 'no answer',
        remedy: `check the kubeconfig: kubectl --kubeconfig '${context.file}' --context '${context.context}' get --raw /version`,
      },
    )
  }
}

function refused(
  context: KubeContext,
  call: { method: string; path: string },
  answer: KubernetesAnswer,
): SallyportError {
  const why = messageOf(answer.text)
  const said = why === undefined ? {} : { why }
  if (answer.status === 401) {
    return new SallyportError(
      'ERR_KUBERNETES_TOKEN',
      `the API server refuses the user of ${context.file}`,
      {
        ...said,
        remedy: 'its certificate or token has expired: get a new kubeconfig',
      },
    )
  }
  if (answer.status === 403) {
    return new SallyportError(
      'ERR_KUBERNETES_FORBIDDEN',
      `the user of ${context.file} may not ${call.method} ${call.path}`,
      said,
    )
  }
  return new SallyportError(
    'ERR_KUBERNETES_UNREACHABLE',
    `the API server answered ${answer.status} to ${call.path}`,
    said,
  )
}

function messageOf(text: string): string | undefined {
  try {
    return parseStatus(text).message
  } catch {
    return undefined
  }
}
