/**
 * A small program on `@kubernetes/client-node`: lists, watches or executes through a kubeconfig, and prints JSON.
 * @module
 */
import { PassThrough } from 'node:stream'
import { CoreV1Api, Exec, KubeConfig, Watch, type V1Status } from '@kubernetes/client-node'

const [verb = '', kubeconfig = '', namespace = ''] = process.argv.slice(2)
const config = new KubeConfig()
config.loadFromFile(kubeconfig)
const core = config.makeApiClient(CoreV1Api)

async function list(): Promise<unknown> {
  const pods = await core.listNamespacedPod({ namespace })
  return pods.items.map((pod) => pod.metadata?.name)
}

async function watch(): Promise<unknown> {
  const name = 'watched'
  const seen: string[] = []
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const controller = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { fieldSelector: `metadata.name=${name}` },
    (phase) => {
      seen.push(phase)
      if (phase === 'DELETED') resolve(undefined)
    },
    (error: unknown) => {
      if (error !== null && !seen.includes('DELETED'))
        reject(new Error('the watch ended', { cause: error }))
    },
  )
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name } } })
  await core.replaceNamespacedConfigMap({
    name,
    namespace,
    body: { metadata: { name }, data: { a: '1' } },
  })
  await core.deleteNamespacedConfigMap({ name, namespace })
  await promise
  controller.abort()
  return seen
}

async function exec(): Promise<unknown> {
  const out = new PassThrough()
  let stdout = ''
  out.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const { promise, resolve } = Promise.withResolvers<V1Status>()
  const command = ['sh', '-c', 'echo hello from the pod']
  await new Exec(config).exec(namespace, 'shop', 'main', command, out, null, null, false, resolve)
  const { status } = await promise
  return { stdout, status }
}

const verbs: Record<string, () => Promise<unknown>> = { list, watch, exec }
const chosen = verbs[verb]
if (chosen === undefined) throw new Error(`unknown verb ${verb}`)
process.stdout.write(JSON.stringify(await chosen()))
