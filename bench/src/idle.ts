/**
 * What an agent that is only connected costs a relay: resident memory of a relay alone, before and with many listeners.
 * @module
 */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sallyportStart } from '@sallyport/e2e/actors'
import { freePort } from '@sallyport/e2e/free-port'
import { RendezvousListener, signSasToken } from '@sallyport/tunnel'
import type { Row } from './measure.ts'
import type { Bench } from './path.ts'

const links = 1_000
/** Opened at a time, so that the start measures links and not a queue of handshakes. */
const batch = 50

const residentBytes = (pid: number) =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) * 1024

interface RelayRules {
  rules: { name: string; key: string; rights: string[] }[]
}

/** Starts a relay alone whose certificate comes from the CA of the hub. */
async function startRelay(bench: Bench) {
  const directory = join(bench.directory, 'relay')
  const hub = bench.hub.dataDirectory
  mkdirSync(join(directory, 'tls'), { recursive: true, mode: 0o700 })
  copyFileSync(join(hub, 'tls', 'ca.pem'), join(directory, 'tls', 'ca.pem'))
  const keyFile = join(hub, 'keys', 'relay.json')
  const port = await freePort()
  const args = [
    '--data-directory',
    directory,
    '--listen',
    `127.0.0.1:${port}`,
    '--relay-key-file',
    keyFile,
  ]
  const running = sallyportStart(bench.user, ['relay', ...args])
  await running.waitFor(/relay ready/)
  const { rules } = JSON.parse(readFileSync(keyFile, 'utf8')) as RelayRules
  const rule = rules.find(({ rights }) => rights.includes('Listen'))
  if (rule === undefined) throw new Error(`${keyFile} has no rule with the right Listen`)
  return { running, port, rule }
}

/** Opens listeners on different paths and reads the memory of the relay before and after. */
export async function measureIdleLinks(bench: Bench, say: (text: string) => void): Promise<Row[]> {
  const { running, port, rule } = await startRelay(bench)
  const listeners: RendezvousListener[] = []
  const expiresAt = Math.floor(Date.now() / 1000) + 3600
  const open = (name: string) => {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const token = signSasToken(rule, `http://127.0.0.1:${port}/${name}`, expiresAt)
    const listener = new RendezvousListener({
      access: () =>
        Promise.resolve({ url: `wss://127.0.0.1:${port}/$hc/${name}`, token, expiresAt }),
      dial: { ca: readFileSync(bench.hub.caFile, 'utf8') },
      onRendezvous: ({ stream }) => stream.destroy(),
      onState: ({ state }) => {
        if (state === 'listening') resolve(undefined)
      },
    })
    listeners.push(listener)
    listener.start()
    return promise
  }
  try {
    // The first ones pay for code and pools that all share.
    await Promise.all(Array.from({ length: batch }, (_, index) => open(`warm-${index}`)))
    const before = residentBytes(running.pid)
    for (let done = 0; done < links; done += batch) {
      say(`idle links: ${done + batch} of ${links}`)
      await Promise.all(Array.from({ length: batch }, (_, index) => open(`idle-${done + index}`)))
    }
    const perLink = (residentBytes(running.pid) - before) / links
    return [
      {
        what: `relay memory per idle agent, ${links} agents`,
        unit: 'KiB',
        through: perLink / 1024,
      },
    ]
  } finally {
    await Promise.all(listeners.map((listener) => listener.close()))
    await running.stop()
  }
}
