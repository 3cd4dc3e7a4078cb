/**
 * `npm run bench`: ourselves beside the direct path, in one run, as a table with ratios. `-- --no-node` leaves out what
 * needs a node (root).
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { measureExec } from './exec.ts'
import { measureIdleLinks } from './idle.ts'
import { measureRequests, measureTransfer, type Row } from './measure.ts'
import { startBench } from './path.ts'

const say = (text: string) => process.stderr.write(`${text}\n`)

function print(rows: Row[]): void {
  const number = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2))
  const cells = rows.map(({ what, unit, direct, through, target }) => [
    what,
    direct === undefined ? '-' : `${number(direct)} ${unit}`,
    `${number(through)} ${unit}`,
    direct === undefined ? '-' : (through / direct).toFixed(2),
    target ?? '',
  ])
  const table = [['WHAT', 'DIRECT', 'SALLYPORT', 'RATIO', 'TARGET'], ...cells]
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  )
  for (const row of table) {
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
  }
}

async function main(): Promise<void> {
  const withNode = !process.argv.includes('--no-node') && process.getuid?.() === 0
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const bench = await startBench(directory, say)
  const rows: Row[] = []
  try {
    for (const connections of [1, 16, 128]) {
      say(`requests at ${connections}`)
      rows.push(...(await measureRequests(bench, connections)))
    }
    for (const direction of ['down', 'up'] as const) {
      say(`transfer ${direction}`)
      rows.push(...(await measureTransfer(bench, direction)))
    }
    rows.push(...(await measureIdleLinks(bench, say)))
    if (withNode) rows.push(...(await measureExec(bench, say)))
    else say('exec sessions left out: a node needs root and was not asked for')
  } finally {
    await bench.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  process.stdout.write(
    `${cpus().length} CPUs, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}; medians of 3 rounds, direct and sallyport in turn\n\n`,
  )
  print(rows)
}

await main()
