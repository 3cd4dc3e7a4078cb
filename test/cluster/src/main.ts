/**
 * A cluster for people: up with one command, down with Ctrl-C.
 * @module
 */
import { parseArgs } from 'node:util'
import type { Cluster, ClusterOptions, ClusterProgress } from './cluster.ts'
import { ClusterError, messageOf } from './error.ts'
import { startCluster } from './start-cluster.ts'

const usage = `usage: node test/cluster/src/main.ts [--size control-plane|node] [--controller-manager]
                                     [--netns NAME] [--address IPV4] [--port N] [--directory PATH]
Brings up a Kubernetes and keeps it until Ctrl-C. Prints the line to set KUBECONFIG on standard output.
`

const flags = {
  size: { type: 'string', default: 'control-plane' },
  'controller-manager': { type: 'boolean' },
  netns: { type: 'string' },
  address: { type: 'string' },
  port: { type: 'string' },
  directory: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

function parseFlags() {
  try {
    return parseArgs({ options: flags })
  } catch (error) {
    throw new ClusterError('ERR_CLUSTER_USAGE', `${messageOf(error)}\n${usage}`, error)
  }
}

/** Undefined when help was asked for. */
function readOptions(): ClusterOptions | undefined {
  const { values } = parseFlags()
  const { size, netns, address, directory } = values
  if (values.help === true) return undefined
  if (size !== 'control-plane' && size !== 'node')
    throw new ClusterError(
      'ERR_CLUSTER_USAGE',
      `--size ${size}: not control-plane or node\n${usage}`,
    )
  const port = Number(values.port ?? 1)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new ClusterError('ERR_CLUSTER_USAGE', `--port ${values.port ?? ''}: not a port\n${usage}`)
  const withManager = values['controller-manager']
  return {
    size,
    ...(netns === undefined ? {} : { netns }),
    ...(address === undefined ? {} : { address }),
    ...(directory === undefined ? {} : { directory }),
    ...(values.port === undefined ? {} : { apiServerPort: port }),
    ...(withManager === undefined ? {} : { controllerManager: withManager }),
  }
}

/** Prints one line for each step; progress of a long one at most once a second on a terminal, every 15 s elsewhere. */
function progressPrinter(): (progress: ClusterProgress) => void {
  const started = new Map<string, number>()
  const pauseMs = process.stderr.isTTY ? 1000 : 15_000
  let lastNote = 0
  return ({ step, state, detail, fraction, expectedSeconds }) => {
    const now = performance.now()
    const since = now - (started.get(step) ?? now)
    if (state === 'start') started.set(step, now)
    if (fraction !== undefined) {
      if (now - lastNote < pauseMs) return
      lastNote = now
    }
    const expected = expectedSeconds === undefined ? '' : ` (about ${expectedSeconds} s)`
    const percent = fraction === undefined ? '' : ` ${Math.floor(fraction * 100)} %`
    const took = state === 'done' && since > 0 ? ` ${(since / 1000).toFixed(1)} s` : ''
    const mark = { start: '…', done: '✓', note: ' ' }[state]
    const tail = detail === undefined ? '' : `: ${detail}`
    process.stderr.write(`${mark} ${step}${percent}${took}${expected}${tail}\n`)
  }
}

function waitForSignal(controller: AbortController): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(name, () => {
        controller.abort(name)
        resolve()
      })
  })
}

async function main(): Promise<void> {
  const options = readOptions()
  if (options === undefined) {
    process.stderr.write(usage)
    return
  }
  const controller = new AbortController()
  const ended = waitForSignal(controller)
  const onProgress = progressPrinter()
  const cluster: Cluster = await startCluster({ ...options, signal: controller.signal, onProgress })
  process.stdout.write(`export KUBECONFIG=${cluster.kubeconfig}\n`)
  process.stderr.write(
    `  Kubernetes ${cluster.version} at ${cluster.server}; kubectl: ${cluster.kubectl}\n` +
      `  Ctrl-C ends and removes it\n`,
  )
  // A pending promise does not keep a process alive when every component has ended.
  const keepAlive = setInterval(() => undefined, 60_000)
  await ended
  clearInterval(keepAlive)
  process.stderr.write('… removing the cluster\n')
  await cluster.stop()
  process.stderr.write('✓ nothing is left\n')
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${messageOf(error).trimEnd()}\n`)
  const code = error instanceof ClusterError ? error.code : undefined
  if (code === 'ERR_CLUSTER_ABORTED') process.exitCode = 130
  else process.exitCode = code === 'ERR_CLUSTER_USAGE' ? 2 : 1
}
