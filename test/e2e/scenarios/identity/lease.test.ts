/**
 * An agent that does not hear from the hub any more cannot hear of revocations either: it closes after its lease.
 * @module
 */
import { join } from 'node:path'
import { expect } from 'vitest'
import { runAs, sallyportOk, sallyportStart, startAs } from '../../src/actors.ts'
import { freePort } from '../../src/free-port.ts'
import { eventually, ok } from '../../src/process.ts'
import { lab } from '../../src/proxied.ts'
import { sandboxCluster, startRelayAlone, startSandbox, type Sandbox } from '../../src/sandbox.ts'
import { verifies } from '../../src/verifies.ts'

const leaseSeconds = 5

/** Drops every packet to the hub while `use` runs; relay and API server stay within reach. */
async function cutOff({ hub, user }: Sandbox, use: () => Promise<void>): Promise<void> {
  const { port } = new URL(hub.url)
  const match = ['OUTPUT', '-o', 'lo', '-p', 'tcp', '--dport', port, '-j', 'DROP']
  const rule = (verb: string) =>
    ok('iptables', ['-w', verb, ...match], user.netns === undefined ? {} : { netns: user.netns })
  await rule('-I')
  try {
    await use()
  } finally {
    await rule('-D')
  }
}

verifies(
  'revocation.lease',
  async () => {
    const port = await freePort()
    const sandbox = await startSandbox({
      relays: [`wss://127.0.0.1:${port}`],
      hubArgs: ['--agent-lease', String(leaseSeconds)],
      netns: lab().network.site,
    })
    try {
      const { user, cluster, directory } = sandbox
      const relay = await startRelayAlone(sandbox, port)
      sandbox.onEnd(() => relay.stop())
      await sandbox.connect()
      const admin = [cluster.kubectl, `--kubeconfig=${cluster.kubeconfig}`]
      const binding = ['clusterrolebinding', 'lease', '--clusterrole=cluster-admin']
      await runAs(user, [...admin, 'create', ...binding, `--user=${sandbox.hub.objectId}`])
      const kubeconfig = join(directory, 'proxy.kubeconfig')
      const proxy = sallyportStart(user, [
        ...['proxy', ...sandboxCluster, '--port', '0', '-f', kubeconfig],
      ])
      await proxy.waitFor(/ready/i)
      const kubectl = [cluster.kubectl, `--kubeconfig=${kubeconfig}`]
      const list = [...kubectl, 'get', 'namespaces', '-o', 'name']
      const watch = startAs(user, [...list, '-w'])
      await watch.waitFor(/namespace\/default/)
      await cutOff(sandbox, async () => {
        const since = performance.now()
        await watch.ended
        const cutMs = performance.now() - since
        console.log(
          `agent cut off, lease ${leaseSeconds} s: streams cut after ${cutMs.toFixed(0)} ms`,
        )
        // The last word of the hub may have come up to a third of the lease before the cut.
        expect(cutMs).toBeGreaterThan((leaseSeconds * 1_000) / 2)
        expect(cutMs).toBeLessThan(leaseSeconds * 1_000 + 3_000)
        await proxy.waitFor(
          /the agent has not heard from the hub for \d+ s .*its lease of 5 s is over/,
        )
        // kubectl tries for a minute and more by itself; one request is enough.
        const late = await runAs(user, [...list, '--request-timeout=3s'])
        expect(late.code, late.stdout).not.toBe(0)
      })
      const back = performance.now()
      await eventually(async () => {
        const { code } = await runAs(user, list)
        return code === 0 ? true : undefined
      }, 'the same proxy works again')
      console.log(
        `hub within reach: the same proxy works after ${(performance.now() - back).toFixed(0)} ms`,
      )
      await sallyportOk(user, ['proxy', ...sandboxCluster, '--', ...list.slice(0, 1), 'version'])
      expect(await proxy.stop('SIGINT')).toMatchObject({ code: 130 })
    } finally {
      await sandbox.stop()
    }
  },
  180_000,
)
