/**
 * One context of the user's kubeconfig, as `connect` and the agent use it: certificate or token, no programs.
 * @module
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Type, { type Static } from 'typebox'
import { SallyportError, parser } from '@sallyport/protocol'
import { fileError } from '../credentials/file-error.ts'
import { readOpenFile } from '../credentials/private-file.ts'
import { parseKubeconfig } from './document.ts'

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

const optionalList = <T extends Type.TSchema>(item: T) =>
  Type.Optional(Type.Union([Type.Array(item), Type.Null()]))

const Name = Type.String()
const ContextSchema = Type.Object({ cluster: Type.String(), user: Type.String() }, open)

const KubeconfigSchema = Type.Object(
  {
    'current-context': Type.Optional(Type.Union([Type.String(), Type.Null()])),
    clusters: optionalList(Type.Object({ name: Name, cluster: ClusterSchema }, open)),
    contexts: optionalList(Type.Object({ name: Name, context: ContextSchema }, open)),
    users: optionalList(
      Type.Object({ name: Name, user: Type.Union([UserSchema, Type.Null()]) }, open),
    ),
  },
  open,
)

const parseConfig = parser(KubeconfigSchema, 'kubeconfig', 'ERR_KUBECONFIG')

/** How to reach an API server as one user. */
export interface KubeContext {
  /** Absolute path of the kubeconfig. */
  file: string
  context: string
  server: URL
  ca: string | undefined
  serverName: string | undefined
  certificate: string | undefined
  key: string | undefined
  token: string | undefined
}

function refuse(file: string, why: string, remedy?: string): SallyportError {
  return new SallyportError('ERR_KUBECONFIG', `the kubeconfig ${file} cannot be used`, {
    why,
    ...(remedy === undefined ? {} : { remedy }),
    target: file,
  })
}

/**
 * Finds the context in the first of the files that has it; without a name, the first current-context.
 * @throws SallyportError ERR_KUBECONFIG, ERR_FILE_ACCESS.
 */
export function readKubeContext(files: readonly string[], name: string | undefined): KubeContext {
  const configs = files.flatMap((path) => {
    const text = readOpenFile(path)
    return text === undefined ? [] : [{ file: resolve(path), config: parseFile(path, text) }]
  })
  const [first] = files
  if (configs.length === 0) {
    throw refuse(first ?? '', 'there is no such file', 'name one with --kube-config FILE')
  }
  const current = configs
    .map(({ config }) => config['current-context'] ?? '')
    .find((text) => text !== '')
  const wanted = name ?? current
  if (wanted === undefined) {
    throw refuse(first ?? '', 'it has no current context', 'name one with --kube-context NAME')
  }
  for (const { file, config } of configs) {
    if (config.contexts?.some((entry) => entry.name === wanted) === true) {
      return fromConfig(file, config, wanted)
    }
  }
  throw refuse(first ?? '', `it has no context '${wanted}'`, 'see kubectl config get-contexts')
}

function parseFile(path: string, text: string): Static<typeof KubeconfigSchema> {
  const { document } = parseKubeconfig(path, text)
  try {
    return parseConfig(document.toJS({ maxAliasCount: 100 }) ?? {})
  } catch (cause) {
    throw refuse(path, cause instanceof Error ? cause.message : 'it is not a kubeconfig')
  }
}

function fromConfig(
  file: string,
  config: Static<typeof KubeconfigSchema>,
  name: string,
): KubeContext {
  const context = config.contexts?.find((entry) => entry.name === name)?.context
  const cluster = config.clusters?.find((entry) => entry.name === context?.cluster)?.cluster
  const user = config.users?.find((entry) => entry.name === context?.user)?.user
  if (cluster === undefined || user === undefined || user === null) {
    throw refuse(
      file,
      `context '${name}' names a cluster or user that is not in this file`,
      `make one file of it: kubectl config view --minify --flatten --context='${name}' > FILE`,
    )
  }
  checkSupported(file, cluster, user)
  return { file, context: name, ...address(file, cluster), ...credential(file, user) }
}

function checkSupported(
  file: string,
  cluster: Static<typeof ClusterSchema>,
  user: Static<typeof UserSchema>,
): void {
  const remedy =
    'make a kubeconfig with a service account token for the agent: kubectl create token SERVICE_ACCOUNT --duration=8760h'
  const isSet = (value: unknown) => value !== undefined && value !== null && value !== ''
  if (isSet(user.exec))
    throw refuse(file, 'its user runs a program to sign in, which an agent cannot', remedy)
  if (isSet(user['auth-provider']))
    throw refuse(file, 'its user signs in by an auth-provider', remedy)
  if (isSet(user.username))
    throw refuse(file, 'its user has a password, which Kubernetes no longer takes', remedy)
  if (isSet(user.as))
    throw refuse(
      file,
      'its user impersonates another; the agent needs an identity of its own',
      remedy,
    )
  if (isSet(cluster['proxy-url']))
    throw refuse(file, 'its cluster has a proxy-url; the agent speaks to the server directly')
  if (cluster['insecure-skip-tls-verify'] === true) {
    throw refuse(
      file,
      'it switches the verification of the API server off',
      'give the cluster its certificate-authority-data',
    )
  }
}

function address(file: string, cluster: Static<typeof ClusterSchema>) {
  const server = URL.canParse(cluster.server) ? new URL(cluster.server) : undefined
  if (server?.protocol !== 'https:') throw refuse(file, 'its server is not an https address')
  return {
    server,
    ca: pem(file, cluster['certificate-authority-data'], cluster['certificate-authority']),
    serverName: cluster['tls-server-name'],
  }
}

function credential(file: string, user: Static<typeof UserSchema>) {
  const certificate = pem(file, user['client-certificate-data'], user['client-certificate'])
  const key = pem(file, user['client-key-data'], user['client-key'])
  const token = user.token ?? pem(file, undefined, user.tokenFile)?.trim()
  if (token === undefined && (certificate === undefined || key === undefined)) {
    throw refuse(file, 'its user has neither a client certificate nor a token')
  }
  return { certificate, key, token }
}

/** Inline base64, else a file beside the kubeconfig. */
function pem(file: string, data: string | undefined, path: string | undefined): string | undefined {
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64').toString('utf8')
  if (path === undefined || path === '') return undefined
  const absolute = resolve(dirname(file), path)
  try {
    return readFileSync(absolute, 'utf8')
  } catch (error) {
    throw fileError(absolute, 'read', error)
  }
}
