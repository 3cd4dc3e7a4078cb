/**
 * The three streams somebody may hold open in a cluster, and how fast they are taken away.
 * @module
 */
import { expect } from 'vitest'
import type { Running } from './process.ts'
import { kubectl, kubectlStart, type Proxy } from './proxied.ts'

/** The pod the streams are about: it runs and serves port 8080. */
export interface StreamTarget {
  namespace: string
  pod: string
}

/** What is promised, ms. */
const promised = { refusedMs: 1_000, cutMs: 2_000 }
/** The suite shares a small machine with a Kubernetes node, and each request is a kubectl that has to start: what is asserted. */
const noise = 3

/** Opens an exec, a watch and a port-forward; resolves when all three are live. */
export async function openStreams(
  proxy: Proxy,
  { namespace, pod }: StreamTarget,
): Promise<Running[]> {
  const exec = kubectlStart(proxy, [
    ...['exec', '-n', namespace, pod, '--', 'sh', '-c'],
    'while true; do echo alive; sleep 0.2; done',
  ])
  const watch = kubectlStart(proxy, ['get', 'pods', '-n', namespace, '-w', '-o', 'name'])
  const forward = kubectlStart(proxy, ['port-forward', '-n', namespace, pod, ':8080'])
  await exec.waitFor(/alive/)
  await watch.waitFor(new RegExp(`pod/${pod}`))
  await forward.waitFor(/Forwarding from/)
  return [exec, watch, forward]
}

/**
 * Opens the three streams, runs what takes the rights away, and measures from its return until a new request was refused and every
 * stream had ended.
 */
export async function expectCut(
  what: string,
  parts: { proxy: Proxy; target: StreamTarget; revoke: () => Promise<unknown> },
): Promise<void> {
  const { proxy, target } = parts
  const ends = (await openStreams(proxy, target)).map(async (running) => {
    await running.ended
    return performance.now()
  })
  const asked = ['get', '--raw', `/api/v1/namespaces/${target.namespace}/pods/${target.pod}`]
  expect(await kubectl(proxy, asked)).toMatchObject({ code: 0 })
  await parts.revoke()
  const returned = performance.now()
  while ((await kubectl(proxy, asked)).code === 0) {
    expect(performance.now() - returned, `${what}: requests are refused`).toBeLessThan(30_000)
  }
  const refusedMs = performance.now() - returned
  const cutMs = Math.max(0, ...(await Promise.all(ends)).map((at) => at - returned))
  console.log(
    `${what}: new requests refused after ${refusedMs.toFixed(0)} ms, exec, watch and port-forward cut after ${cutMs.toFixed(0)} ms`,
  )
  expect(refusedMs).toBeLessThan(promised.refusedMs * noise)
  expect(cutMs).toBeLessThan(promised.cutMs * noise)
}
