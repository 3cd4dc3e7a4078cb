/**
 * `npm run demo`: the main job from nothing, on this machine: a sandbox Kubernetes, hub, relay, agent, proxy, kubectl.
 * `-- --node` adds a kubelet with a running pod, `-- --once` cleans up and exits after the walk.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { closingWords, explainFailure, opening } from './words.ts'
import { Stage, transcript } from './stage.ts'
import { walk, type Walk } from './walk.ts'

function options() {
  try {
    return parseArgs({
      options: {
        node: { type: 'boolean', default: false },
        once: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    process.stderr.write(
      `error: ${error instanceof Error ? error.message : String(error)}\n try:  npm run demo -- [--node] [--once]\n`,
    )
    process.exit(2)
  }
}

const { node, once } = options()
const directory = mkdtempSync(join(tmpdir(), 'sallyport-demo-'))
const interrupted = new AbortController()
const ends: (() => Promise<unknown>)[] = []
let isStopping = false

/** Ends everything in the reverse order of its start; the second signal does not wait. */
async function cleanUp(): Promise<void> {
  for (const end of ends.splice(0).reverse()) {
    await end().catch((error: unknown) => process.stderr.write(`clean-up: ${String(error)}\n`))
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
}

/** Rejects at the first Ctrl-C: the walk is left where it is, and everything it started is ended. */
const interruption = new Promise<never>((_resolve, reject) => {
  interrupted.signal.addEventListener('abort', () => {
    reject(new Error('interrupted'))
  })
})
interruption.catch(() => undefined)

const onSignal = () => {
  if (isStopping) process.exit(130)
  isStopping = true
  interrupted.abort()
}
process.on('SIGINT', onSignal).on('SIGTERM', onSignal)

async function main(): Promise<number> {
  opening(node)
  let result: Walk
  try {
    const stage = new Stage(7)
    const options = { node, directory, signal: interrupted.signal, stage, ends, transcript }
    result = await Promise.race([walk(options), interruption])
  } catch (error) {
    if (isStopping) process.stderr.write('\n  interrupted; cleaning up\n')
    else explainFailure(error)
    await cleanUp()
    return isStopping ? 130 : 1
  }
  closingWords(result, { once, read: (file) => readFileSync(file, 'utf8') })
  if (!once) {
    await interruption.catch(() => undefined)
    process.stderr.write('\n  cleaning up\n')
  }
  await cleanUp()
  return 0
}

// The walk may have been left in the middle of a wait: nothing of it is needed any more.
process.exit(await main())
