/**
 * Other real clients of the Kubernetes API: helm and the JavaScript client library.
 * @module
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect } from 'vitest'
import { runAs } from '../../src/actors.ts'
import { cluster, directOk, grant, lab, revoke, startProxy, type Proxy } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'
import { createWorkload, removeWorkload } from '../../src/workload.ts'

const namespace = 'clients'
const chart = fileURLToPath(new URL('../../chart', import.meta.url))
const library = fileURLToPath(new URL('../../src/client-node.ts', import.meta.url))
let proxy: Proxy

beforeAll(async () => {
  await grant('clients-admin', 'cluster-admin')
  await createWorkload(namespace, 'shop')
  proxy = await startProxy()
})
afterAll(async () => {
  await proxy.stop()
  await removeWorkload(namespace)
  await revoke('clients-admin')
})

verifies(
  'helm.lifecycle',
  async () => {
    const helms = lab().tools.filter((tool) => tool.helm !== undefined)
    expect(helms.length).toBeGreaterThanOrEqual(2)
    for (const { helm = '' } of helms) {
      const env = {
        KUBECONFIG: proxy.kubeconfig,
        HELM_CACHE_HOME: join(lab().developer.home, 'helm'),
      }
      const run = async (...args: string[]) => {
        const result = await runAs(lab().developer, [helm, ...args], { env, timeoutMs: 120_000 })
        expect(result, `${helm} ${args.join(' ')}\n${result.stderr}`).toMatchObject({ code: 0 })
        return result.stdout
      }
      const word = () =>
        directOk(['get', 'cm', 'greeting', '-n', namespace, '-o', 'jsonpath={.data.word}'])
      const values = ['-n', namespace, '--set', `image=${cluster().image}`]
      await run('install', 'greeting', chart, ...values, '--wait', '--timeout', '60s')
      expect(await word()).toBe('hello')
      await run(
        'upgrade',
        'greeting',
        chart,
        ...values,
        '--set',
        'word=goodbye',
        '--wait',
        '--timeout',
        '60s',
      )
      expect(await word()).toBe('goodbye')
      expect(await run('list', '-n', namespace)).toContain('greeting')
      await run('uninstall', 'greeting', '-n', namespace, '--wait', '--timeout', '60s')
      expect(
        (await directOk(['get', 'cm', '-n', namespace, '-o', 'name'])).includes('greeting'),
      ).toBe(false)
    }
  },
  240_000,
)

/** Runs the client library as the developer, in the developer's network. */
async function clientNode(verb: string): Promise<unknown> {
  const result = await runAs(lab().developer, [
    process.execPath,
    library,
    verb,
    proxy.kubeconfig,
    namespace,
  ])
  expect(result, result.stderr).toMatchObject({ code: 0 })
  return JSON.parse(result.stdout)
}

verifies('client-node.list', async () => {
  expect(await clientNode('list')).toContain('shop')
})

verifies('client-node.watch', async () => {
  expect(await clientNode('watch')).toEqual(['ADDED', 'MODIFIED', 'DELETED'])
})

verifies('client-node.exec', async () => {
  expect(await clientNode('exec')).toEqual({ stdout: 'hello from the pod\n', status: 'Success' })
})
