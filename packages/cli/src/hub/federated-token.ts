/**
 * Tokens of other issuers that prove an application: a file Kubernetes rotates, or GitHub Actions (workload federation).
 * @module
 */
import Type from 'typebox'
import { SallyportError, jsonParser } from '@sallyport/protocol'
import { isAbsolute } from 'node:path'
import { proxyFromEnvironment } from '@sallyport/tunnel'
import { secretFromFile } from '../credentials/secret-file.ts'
import type { FederatedSource } from '../credentials/secrets.ts'
import { createTransport, type TransportOptions } from './transport.ts'

const parseGitHub = jsonParser(
  Type.Object({ value: Type.String({ minLength: 1 }) }),
  'token answer of GitHub Actions',
  'ERR_AUTH_FAILED',
)

/** What reading a token needs. */
export interface FederatedContext {
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  /** Another authority for the token service of GitHub; the system's when absent. */
  ca?: string
}

/** The token as it is now. @throws SallyportError ERR_FILE_ACCESS, ERR_USAGE, ERR_AUTH_FAILED. */
export async function readFederatedToken(
  source: FederatedSource,
  context: FederatedContext,
): Promise<string> {
  if (source.kind === 'github') return gitHubToken(source.audience, context)
  if (isAbsolute(source.path)) return secretFromFile(source.path)
  throw new SallyportError('ERR_STATE_INVALID', `'${source.path}' is no absolute path`)
}

/** Asks the token service of the running job; its address and key are in the job's environment. */
async function gitHubToken(audience: string, context: FederatedContext): Promise<string> {
  const { env, signal } = context
  const address = env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? ''
  const key = env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? ''
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol !== 'https:' || key === '') {
    throw new SallyportError('ERR_USAGE', 'this job of GitHub Actions may not ask for ID tokens', {
      why: 'ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not set',
      remedy: 'give the job the permission "id-token: write"',
    })
  }
  url.searchParams.set('audience', audience)
  const proxy = proxyFromEnvironment(env)
  const dial: TransportOptions['dial'] = {
    ...(context.ca === undefined ? {} : { ca: context.ca }),
    ...(proxy === undefined ? {} : { proxy }),
  }
  const transport = createTransport({ origin: url.origin, dial })
  try {
    const response = await transport.send({
      method: 'GET',
      path: url.pathname + url.search,
      headers: { authorization: `Bearer ${key}` },
      signal,
    })
    if (response.status === 200) return parseGitHub(response.text).value
    throw new SallyportError('ERR_AUTH_FAILED', 'GitHub Actions gives this job no ID token', {
      why: `its token service answered with status ${response.status}`,
      remedy: 'give the job the permission "id-token: write"',
    })
  } finally {
    await transport.close()
  }
}
