/**
 * Free TCP ports, also of another network namespace.
 * @module
 */
import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'
import { ClusterError } from './error.ts'
import { inNetns } from './netns.ts'
import { runCommand } from './run-command.ts'

/** Below the range the kernel takes outgoing ports from (ip(7), ip_local_port_range): nobody gets one by chance. */
const usualRange = { lowest: 20_000, highest: 31_999 }
const attemptsPerPort = 100

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen(port, '0.0.0.0', () => {
      server.close(() => {
        resolve(true)
      })
    })
  })

/** `count` different ports on which nobody listens on any address of this process's namespace. */
export async function freePorts(count: number, range = usualRange): Promise<number[]> {
  const found = new Set<number>()
  for (let rest = count * attemptsPerPort; rest > 0 && found.size < count; rest -= 1) {
    const port = randomInt(range.lowest, range.highest + 1)
    if (!found.has(port) && (await canListen(port))) found.add(port)
  }
  if (found.size < count) {
    const text = `no ${count} free ports between ${range.lowest} and ${range.highest}`
    throw new ClusterError('ERR_CLUSTER_USAGE', text)
  }
  return [...found]
}

/** The same for a network namespace: asked of a process inside it. */
export async function freePortsIn(netns: string | undefined, count: number): Promise<number[]> {
  if (netns === undefined) return freePorts(count)
  const program = `import(${JSON.stringify(import.meta.filename)}).then((m) => m.freePorts(${count})).then((p) => console.log(p.join(' ')))`
  const answer = await runCommand([...inNetns(netns), process.execPath, '-e', program])
  return answer.trim().split(' ').map(Number)
}
