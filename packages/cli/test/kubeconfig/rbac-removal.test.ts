/**
 * X151: what an agent made of role assignments goes with it, and nothing else does.
 * @module
 */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rbacManager, rbacMarks } from '@sallyport/protocol'
import { readKubeContext } from '../../src/kubeconfig/kube-context.ts'
import { removalCommand, removeMaterialised } from '../../src/kubeconfig/rbac-removal.ts'
import { temporaryDirectory } from '../run-cli.ts'
import { startPlayedApiServer, type PlayedApiServer } from './played-api-server.ts'

const mark = '0123456789abcdef'
const name = (text: string): string => `sallyport.dev:${mark}:${text}`
let server: PlayedApiServer

beforeEach(async () => {
  server = await startPlayedApiServer()
})
afterEach(() => server.stop())

const remove = () => {
  const file = server.kubeconfig(join(temporaryDirectory(), 'admin.conf'))
  return removeMaterialised(readKubeContext([file], undefined), mark, AbortSignal.timeout(20_000))
}

describe('X151: removal from the cluster', () => {
  it('takes all pages of all kinds, bindings before roles', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      server.keep(`clusterrolebindings/${name(`assignment:${id}`)}`)
      server.keep(`namespaces/shop/rolebindings/${name(`assignment:${id}`)}`)
    }
    server.keep(`clusterroles/${name('role:r')}`)
    expect(await remove()).toBe(11)
    expect(server.names()).toEqual([])
    const deleted = server.requests.filter((line) => line.startsWith('DELETE'))
    expect(deleted.at(-1)).toContain('/clusterroles/')
    expect(deleted.at(0)).toContain('/clusterrolebindings/')
  })

  it('leaves what others made, whatever it is called, and what another hub has', async () => {
    const labels = { [rbacMarks.managedBy]: rbacManager, [rbacMarks.cluster]: mark }
    server.keep('clusterroles/cluster-admin', 'kube-apiserver')
    server.keep('clusterroles/labelled', 'kubectl', labels)
    server.keep('clusterroles/applied', undefined, labels)
    server.keep(`clusterroles/${name('role:by-hand')}`, 'kubectl', labels)
    server.keep(`clusterroles/sallyport.dev:${'f'.repeat(16)}:role:r`)
    const before = server.names()
    expect(await remove()).toBe(0)
    expect(server.names()).toEqual(before)
  })

  it('an object that is gone or was replaced meanwhile is fine, and the new one stays', async () => {
    const [gone, replaced] = [name('role:gone'), name('role:replaced')]
    server.keep(`clusterroles/${gone}`)
    server.keep(`clusterroles/${replaced}`)
    server.afterList = () => {
      if (server.requests.at(-1)?.includes('/clusterroles?') !== true) return
      server.objects.length = 0
      server.keep(`clusterroles/${replaced}`, 'kubectl')
    }
    await remove()
    expect(server.names()).toEqual([replaced])
  })

  it('a refusal is an error that names the call', async () => {
    server.keep(`clusterroles/${name('role:r')}`)
    server.refuse = (line) => (line.startsWith('DELETE') ? 403 : undefined)
    await expect(remove()).rejects.toMatchObject({
      code: 'ERR_KUBERNETES_FORBIDDEN',
      why: 'not as you wish',
      message: expect.stringContaining('may not DELETE') as string,
    })
  })

  it('the command by hand names file and context so that a shell takes them whole', () => {
    expect(removalCommand(mark)).toBe(
      `kubectl delete clusterrolebindings,rolebindings,clusterroles -A -l sallyport.dev/cluster=${mark}`,
    )
    expect(removalCommand(mark, { file: "/home/o'neil/a b", context: 'admin@c' })).toContain(
      String.raw`kubectl --kubeconfig '/home/o'\''neil/a b' --context admin@c delete `,
    )
  })
})
