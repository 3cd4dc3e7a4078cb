/**
 * Raw bytes through a developer's proxy.
 * @module
 */
import { fileURLToPath } from 'node:url'
import { runAs } from './actors.ts'
import { lab, type Proxy } from './proxied.ts'

/** What the program of `raw-http-main.ts` reads. */
export interface RawHttp {
  kubeconfig: string
  /** Latin-1. */
  requests: string[]
}

const program = fileURLToPath(new URL('./raw-http-main.ts', import.meta.url))

/** Sends each request on a connection of its own; the answers in the same order. */
export async function sendRaw(proxy: Proxy, requests: string[]): Promise<string[]> {
  const input: RawHttp = { kubeconfig: proxy.kubeconfig, requests }
  const { code, stdout, stderr } = await runAs(lab().developer, [process.execPath, program], {
    input: JSON.stringify(input),
    timeoutMs: 60_000,
  })
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as string[]
}

/** Status code of an answer; 0 when the connection ended without one. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0)
}
