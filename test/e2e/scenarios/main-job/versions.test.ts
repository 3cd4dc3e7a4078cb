/**
 * Every kubectl at hand, with SPDY and with WebSocket where it has both.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { runAs } from '../../src/actors.ts'
import {
  grant,
  kubectlOk,
  kubectlStart,
  lab,
  revoke,
  startProxy,
  type Proxy,
} from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'
import { createWorkload, removeWorkload } from '../../src/workload.ts'

const namespace = 'versions'
const pod = 'shop'
let proxy: Proxy

beforeAll(async () => {
  await grant('versions-admin', 'cluster-admin')
  await createWorkload(namespace, pod)
  proxy = await startProxy()
})
afterAll(async () => {
  await proxy.stop()
  await removeWorkload(namespace)
  await revoke('versions-admin')
})

async function matrix(program: string, webSocket: boolean): Promise<void> {
  const env = {
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(webSocket),
    KUBECTL_PORT_FORWARD_WEBSOCKETS: String(webSocket),
  }
  const options = { program, env }
  expect(await kubectlOk(proxy, ['get', 'pods', '-n', namespace, '-o', 'name'], options)).toContain(
    pod,
  )
  const input = randomBytes(200_000)
  const sum = createHash('sha256').update(input).digest('hex')
  const summed = await kubectlOk(proxy, ['exec', '-i', '-n', namespace, pod, '--', 'sha256sum'], {
    ...options,
    input,
  })
  expect(summed).toContain(sum)
  const file = join(lab().developer.home, 'small')
  writeFileSync(file, input)
  await kubectlOk(proxy, ['cp', file, `${namespace}/${pod}:/tmp/small`], options)
  expect(
    await kubectlOk(
      proxy,
      ['exec', '-n', namespace, pod, '--', 'sha256sum', '/tmp/small'],
      options,
    ),
  ).toContain(sum)
  const forward = kubectlStart(
    proxy,
    ['port-forward', '-n', namespace, `pod/${pod}`, ':8080'],
    options,
  )
  const [, port = ''] = await forward.waitFor(/127\.0\.0\.1:(\d+)/)
  for (let request = 0; request < 3; request++) {
    const result = await runAs(lab().developer, [
      'curl',
      '-sS',
      '--max-time',
      '20',
      `http://127.0.0.1:${port}/`,
    ])
    expect(result).toMatchObject({ code: 0, stdout: 'hello\n' })
  }
  await forward.stop('SIGINT')
}

describe('kubectl versions', () => {
  verifies(
    'kubectl.versions',
    async () => {
      const { tools } = lab()
      expect(tools.length).toBeGreaterThanOrEqual(3)
      for (const tool of tools) {
        for (const webSocket of [false, true]) {
          await matrix(tool.kubectl, webSocket).catch((cause: unknown) => {
            throw new Error(`kubectl ${tool.version}, ${webSocket ? 'WebSocket' : 'SPDY'}`, {
              cause,
            })
          })
        }
      }
    },
    300_000,
  )
})
