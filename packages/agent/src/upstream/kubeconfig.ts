/**
 * Reads one context of a kubeconfig: only what the agent uses, and a clear refusal of what it does not.
 * @module
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { limits, parser, SallyportError } from '@sallyport/protocol'
import Type, { type Static } from 'typebox'
import { parse as parseYaml } from 'yaml'

const open = { additionalProperties: true } as const
const Text = Type.Optional(Type.String())

const ClusterSchema = Type.Object(
  {
    server: Type.String(),
    'certificate-authority': Text,
    'certificate-authority-data': Text,
    'tls-server-name': Text,
    'insecure-skip-tls-verify': Type.Optional(Type.Boolean()),
    'proxy-url': Text,
  },
  open,
)

const UserSchema = Type.Object(
  {
    'client-certificate': Text,
    'client-certificate-data': Text,
    'client-key': Text,
    'client-key-data': Text,
    token: Text,
    tokenFile: Text,
    exec: Type.Optional(Type.Unknown()),
    'auth-provider': Type.Optional(Type.Unknown()),
    username: Text,
    as: Text,
  },
  open,
)

const KubeconfigSchema = Type.Object(
  {
    'current-context': Text,
    contexts: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          context: Type.Object({ cluster: Type.String(), user: Type.String() }, open),
        },
        open,
      ),
    ),
    clusters: Type.Array(Type.Object({ name: Type.String(), cluster: ClusterSchema }, open)),
    users: Type.Array(
      Type.Object({ name: Type.String(), user: Type.Union([UserSchema, Type.Null()]) }, open),
    ),
  },
  open,
)

export type KubeCluster = Static<typeof ClusterSchema>
export type KubeUser = Static<typeof UserSchema>

/** The parts of one context, and the directory its relative paths start from. */
export interface KubeContext {
  cluster: KubeCluster
  user: KubeUser
  directory: string
}

const parseKubeconfig = parser(KubeconfigSchema, 'kubeconfig', 'ERR_KUBECONFIG')

function invalid(path: string, why: string, cause?: unknown): SallyportError {
  const options = cause === undefined ? { why } : { why, cause }
  return new SallyportError('ERR_KUBECONFIG', `the kubeconfig ${path} cannot be used`, options)
}

function readYaml(path: string): unknown {
  try {
    if (statSync(path).size > limits.kubeconfigBytes) throw new Error('the file is too large')
    // maxAliasCount: a few lines of aliases can stand for gigabytes.
    return parseYaml(readFileSync(path, 'utf8'), { maxAliasCount: 10 })
  } catch (cause) {
    throw invalid(path, cause instanceof Error ? cause.message : 'it cannot be read', cause)
  }
}

/**
 * Reads a context (the current one when none is named) of the kubeconfig at `path`.
 * @throws SallyportError ERR_KUBECONFIG naming the file and what is wrong with it.
 */
export function readKubeContext(path: string, contextName?: string): KubeContext {
  const file = resolve(path)
  let config: Static<typeof KubeconfigSchema>
  try {
    config = parseKubeconfig(readYaml(file))
  } catch (cause) {
    if (cause instanceof SallyportError && cause.why === undefined)
      throw invalid(file, cause.message, cause)
    throw cause
  }
  const name = contextName ?? config['current-context'] ?? ''
  const context = config.contexts.find((entry) => entry.name === name)?.context
  if (context === undefined)
    throw invalid(file, name === '' ? 'it has no current context' : `it has no context ${name}`)
  const cluster = config.clusters.find((entry) => entry.name === context.cluster)?.cluster
  if (cluster === undefined) throw invalid(file, `it has no cluster ${context.cluster}`)
  const user = config.users.find((entry) => entry.name === context.user)?.user
  if (user === undefined || user === null) throw invalid(file, `it has no user ${context.user}`)
  checkSupported(file, cluster, user)
  return { cluster, user, directory: dirname(file) }
}

function checkSupported(file: string, cluster: KubeCluster, user: KubeUser): void {
  const unsupported = [
    [user.exec, 'the user has an exec plugin; use a token, a tokenFile or a client certificate'],
    [user['auth-provider'], 'the user has an auth-provider; use a token or a client certificate'],
    [user.username, 'the user has a name and a password, which Kubernetes no longer accepts'],
    [user.as, 'the user impersonates another; the agent needs an identity of its own'],
    [cluster['proxy-url'], 'the cluster has a proxy-url; the agent speaks to the server directly'],
  ] as const
  for (const [value, why] of unsupported)
    if (value !== undefined && value !== '') throw invalid(file, why)
}
