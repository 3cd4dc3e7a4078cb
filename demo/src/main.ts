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
  rmSync(directory, { recursive: true, force: true })
}

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
    result = await walk({
      node,
      directory,
      signal: interrupted.signal,
      stage: new Stage(7),
      ends,
      transcript,
    })
  } catch (error) {
    if (isStopping) process.stderr.write('\n  interrupted; cleaning up\n')
    else explainFailure(error)
    await cleanUp()
    return isStopping ? 130 : 1
  }
  closingWords(result, { once, read: (file) => readFileSync(file, 'utf8') })
  if (!once) {
    // Nothing else keeps the process alive between two events of its children.
    const alive = setInterval(() => undefined, 60_000)
    await new Promise((resolve) => {
      interrupted.signal.addEventListener('abort', resolve, { once: true })
      if (interrupted.signal.aborted) resolve(undefined)
    })
    clearInterval(alive)
    process.stderr.write('\n  cleaning up\n')
  }
  await cleanUp()
  return 0
}

process.exitCode = await main()
