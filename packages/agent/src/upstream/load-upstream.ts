/**
 * Makes the upstream target of a kubeconfig.
 * @module
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { SallyportError } from '@sallyport/protocol'
import { AgentCredential, type ClientCertificate, type CredentialSource } from './credential.ts'
import { readKubeContext, type KubeContext, type KubeUser } from './kubeconfig.ts'
import type { UpstreamAddress, UpstreamTarget } from './target.ts'

function invalid(why: string, cause?: unknown): SallyportError {
  const options = cause === undefined ? { why } : { why, cause }
  return new SallyportError('ERR_KUBECONFIG', 'the kubeconfig of the agent cannot be used', options)
}

/** A PEM that is either inline (base64) or in a file beside the kubeconfig. */
function readPem(
  context: KubeContext,
  what: string,
  from: { data: string | undefined; file: string | undefined },
): string | undefined {
  if (from.data !== undefined && from.data !== '')
    return Buffer.from(from.data, 'base64').toString('utf8')
  if (from.file === undefined || from.file === '') return undefined
  const path = resolve(context.directory, from.file)
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw invalid(`${what} ${path} cannot be read`, cause)
  }
}

function readAddress(context: KubeContext, allowInsecure: boolean): UpstreamAddress {
  const { cluster } = context
  let url: URL
  try {
    url = new URL(cluster.server)
  } catch (cause) {
    throw invalid('its server is not a URL', cause)
  }
  if (url.protocol !== 'https:') throw invalid('its server is not an https URL')
  if (url.username !== '' || url.search !== '' || url.hash !== '')
    throw invalid('its server has parts that do not belong there')
  const verify = cluster['insecure-skip-tls-verify'] !== true
  if (!verify && !allowInsecure)
    throw invalid(
      'it switches the verification of the server off; give it the certificate authority, or start with --dangerously-skip-tls-verify',
    )
  const ca = readPem(context, 'the certificate authority', {
    data: cluster['certificate-authority-data'],
    file: cluster['certificate-authority'],
  })
  return {
    origin: url.origin,
    hostname: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: url.port === '' ? 443 : Number(url.port),
    pathPrefix: url.pathname.replace(/\/+$/, ''),
    ca,
    serverName: cluster['tls-server-name'],
    verify,
  }
}

function readCertificate(context: KubeContext, user: KubeUser): ClientCertificate | undefined {
  const certificate = readPem(context, 'the client certificate', {
    data: user['client-certificate-data'],
    file: user['client-certificate'],
  })
  const key = readPem(context, 'the client key', {
    data: user['client-key-data'],
    file: user['client-key'],
  })
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined || key === undefined)
    throw invalid('it has a client certificate without key, or the reverse')
  try {
    if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
      return { certificate, key }
  } catch (cause) {
    throw invalid('its client certificate or key cannot be read', cause)
  }
  throw invalid('its client certificate and key do not belong together')
}

function readCredential(context: KubeContext): AgentCredential {
  const { user } = context
  const certificate = readCertificate(context, user)
  const source: CredentialSource = {
    ...(certificate === undefined ? {} : { certificate }),
    ...(user.token === undefined || user.token === '' ? {} : { token: user.token }),
    // As kubectl: a token file wins over a token (client-go tools/clientcmd).
    ...(user.tokenFile === undefined || user.tokenFile === ''
      ? {}
      : { tokenFile: resolve(context.directory, user.tokenFile) }),
  }
  if (Object.keys(source).length === 0)
    throw invalid('its user has no token, token file or client certificate')
  return new AgentCredential(source)
}

/**
 * Reads the API server and the agent's own credential from a kubeconfig; opens no connection.
 * @throws SallyportError ERR_KUBECONFIG.
 */
export function loadUpstream(
  kubeconfigPath: string,
  options: { context?: string; dangerouslySkipTlsVerify?: boolean } = {},
): UpstreamTarget {
  const context = readKubeContext(kubeconfigPath, options.context)
  return {
    address: readAddress(context, options.dangerouslySkipTlsVerify === true),
    credential: readCredential(context),
  }
}
