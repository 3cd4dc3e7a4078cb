/**
 * `npm run fuzz -- [--seconds N] [--count N] [--seed S]`: guard inputs against Go's own understanding of them.
 * @module
 */
import { parseArgs } from 'node:util'
import { fuzz, type Figures } from './fuzz.ts'
import { startOracle } from './oracle.ts'

const defaultSeconds = 60

function line(figures: Figures): string {
  const { count, accepted, refused, unfinished, disagreements, seconds } = figures
  return (
    `${count} inputs in ${seconds.toFixed(1)} s (${Math.round(count / seconds)}/s): ${accepted} accepted, ` +
    `${refused} refused, ${unfinished} unfinished, ${disagreements.length} disagreements`
  )
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      count: { type: 'string' },
      seed: { type: 'string' },
    },
  })
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const count = values.count === undefined ? undefined : Number(values.count)
  const seconds = Number(values.seconds ?? (count === undefined ? defaultSeconds : 0))
  if (![seed, count ?? 1, seconds].every((number) => Number.isInteger(number) && number >= 0)) {
    process.stderr.write('error: --seconds, --count and --seed are whole numbers\n')
    return 2
  }
  const oracle = await startOracle()
  try {
    const figures = await fuzz({
      port: oracle.port,
      seed,
      ...(count === undefined ? {} : { count }),
      ...(seconds === 0 ? {} : { seconds }),
      onProgress: (now) => process.stderr.write(`${line(now)}\n`),
    })
    for (const one of figures.disagreements) process.stderr.write(`disagreement: ${one}\n`)
    process.stdout.write(`fuzz: seed ${seed}: ${line(figures)}\n`)
    return figures.disagreements.length === 0 ? 0 : 1
  } finally {
    await oracle.stop()
  }
}

process.exitCode = await main()
