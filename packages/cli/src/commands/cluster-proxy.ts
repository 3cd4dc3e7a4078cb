/**
 * `sallyport proxy`, `sallyport connectedk8s proxy`.
 * @module
 */
import { limits } from '@sallyport/protocol'
import { runProxy, type ProxyPlan } from '../proxy/run-proxy.ts'
import { wantedCluster } from './cluster-view.ts'
import type { Command, CommandContext } from './command.ts'
import { nameArgument, nameOption, groupOption } from './options.ts'
import { secretFromFile } from '../credentials/secret-file.ts'
import { secretFromFlag, secretFromStdin } from './secret-input.ts'

/** az's port. */
export const defaultPort = 47_011

/** Opens a local endpoint for kubectl and keeps it open. */
export const clusterProxy: Command = {
  summary: 'reach a cluster with kubectl, from anywhere',
  description: [
    'Opens https://127.0.0.1:47011 for the clients of this kubeconfig only, and blocks until Ctrl-C;',
    'then the kubeconfig is as it was. With -- COMMAND it runs the command and leaves the kubeconfig alone.',
  ],
  arguments: [nameArgument],
  rest: 'COMMAND…',
  options: [
    nameOption,
    groupOption,
    {
      long: 'port',
      value: 'PORT',
      summary: `local port, 0 for any free one; default: ${defaultPort}, else a free one`,
    },
    {
      long: 'file',
      short: 'f',
      value: 'FILE',
      summary: 'kubeconfig to write; - prints it; default: as kubectl',
      complete: 'file',
    },
    {
      long: 'kube-context',
      value: 'NAME',
      summary: 'name of the context; default: that of the cluster',
    },
    {
      long: 'token',
      value: 'TOKEN',
      summary: 'service account token; @FILE or - hide it from others',
    },
    {
      long: 'token-file',
      value: 'FILE',
      summary: 'file with the service account token; - is stdin',
      complete: 'file',
    },
    { long: 'overwrite', summary: 'replace a context of the same name; it is back at the end' },
    { long: 'no-set-current', negatable: true, summary: 'leave current-context as it is' },
    { long: 'keep', summary: 'leave the entries in the kubeconfig at the end' },
  ],
  examples: [
    {
      what: 'then, in another shell: kubectl get pods -A',
      line: 'sallyport proxy -n prod-eu -g stores',
    },
    { what: 'one command', line: 'sallyport proxy prod-eu -- k9s' },
    { what: 'as a service account', line: 'sallyport proxy prod-eu --token-file token' },
    {
      what: 'a kubeconfig of its own',
      line: 'sallyport proxy prod-eu --port 0 -f ./prod-eu.kubeconfig',
    },
  ],
  run: async (context) => runProxy(context, await plan(context)),
}

async function plan(context: CommandContext): Promise<ProxyPlan> {
  const { flags, rest } = context
  const wanted = wantedCluster(context)
  const port = flags.integer('port', { min: 0, max: 65_535 })
  const token = await readToken(context)
  const file = flags.text('file')
  return {
    ...wanted,
    context: flags.text('kube-context') ?? wanted.name,
    port: port ?? defaultPort,
    isPortChosen: port !== undefined,
    token,
    file,
    overwrite: flags.on('overwrite'),
    setCurrent: flags.on('set-current'),
    keep: flags.on('keep'),
    command: rest,
  }
}

async function readToken(context: CommandContext): Promise<string | undefined> {
  const { flags, stdin, signal } = context
  const file = flags.text('token-file')
  if (file !== undefined) {
    return clean(file === '-' ? await secretFromStdin(stdin, signal) : secretFromFile(file))
  }
  const value = flags.text('token')
  if (value === undefined) return undefined
  const { secret, wasVisible } = await secretFromFlag(value, context)
  if (wasVisible) {
    context.warn(
      'a token on the command line is visible to other users; use --token-file FILE or --token -',
    )
  }
  return clean(secret)
}

/** Tokens copied from `kubectl … | base64 -d` end in blanks. */
const clean = (token: string) => token.trim().slice(0, limits.clusterTokenBytes)
