/**
 * Measurements: the same work direct and through, in turn, several rounds; medians and the ratio of the medians.
 * @module
 */
import { ok } from '@sallyport/e2e/process'
import type { Bench, PathFlags } from './path.ts'

/** One row of the table. */
export interface Row {
  what: string
  unit: string
  direct?: number
  through: number
  /** What the issue promises on the reference machine, as text. */
  target?: string
}

const rounds = 3

const median = (values: number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/** Runs the load program once; its JSON answer. */
async function load(
  bench: Bench,
  command: string,
  flags: string[],
): Promise<Record<string, number>> {
  return JSON.parse(await ok(bench.load, [command, ...flags], { timeoutMs: 120_000 })) as Record<
    string,
    number
  >
}

/** Replaces the path of the `-url` flag. */
const at = (flags: PathFlags, path: string): PathFlags =>
  flags.map((flag, index) => (flags[index - 1] === '-url' ? new URL(path, flag).href : flag))

/** Runs `one` on both paths in turn, `rounds` times; the medians of each figure. */
async function compare<K extends string>(
  bench: Bench,
  one: (flags: PathFlags) => Promise<Record<K, number>>,
): Promise<{ direct: Record<K, number>; through: Record<K, number> }> {
  const seen = { direct: [] as Record<K, number>[], through: [] as Record<K, number>[] }
  for (let round = 0; round < rounds; round++) {
    seen.direct.push(await one(bench.direct))
    seen.through.push(await one(bench.through))
  }
  const medians = (list: Record<K, number>[]) =>
    Object.fromEntries(
      (Object.keys(list[0] ?? {}) as K[]).map((key) => [
        key,
        median(list.map((item) => item[key])),
      ]),
    ) as Record<K, number>
  return { direct: medians(seen.direct), through: medians(seen.through) }
}

/** Requests of 1 KB on `connections` kept connections. */
export async function measureRequests(bench: Bench, connections: number): Promise<Row[]> {
  const { direct, through } = await compare<'rps' | 'p50' | 'p99'>(bench, async (flags) => {
    const result = await load(bench, 'requests', [
      ...at(flags, '/api/v1/bench/small'),
      '-c',
      String(connections),
      '-d',
      '3s',
    ])
    return { rps: result['rps'] ?? 0, p50: result['p50'] ?? 0, p99: result['p99'] ?? 0 }
  })
  const name = `1 KB, ${connections} connection${connections === 1 ? '' : 's'}`
  return [
    {
      what: `${name}: requests`,
      unit: '1/s',
      direct: direct.rps,
      through: through.rps,
      ...(connections === 128 ? { target: '>= 9000 1/s' } : {}),
    },
    {
      what: `${name}: p50`,
      unit: 'ms',
      direct: direct.p50,
      through: through.p50,
      ...(connections === 1 ? { target: 'added <= 0.8 ms' } : {}),
    },
    { what: `${name}: p99`, unit: 'ms', direct: direct.p99, through: through.p99 },
  ]
}

/** One transfer of 300 MB, down or up. */
export async function measureTransfer(bench: Bench, direction: 'down' | 'up'): Promise<Row[]> {
  const { direct, through } = await compare<'mbps'>(bench, async (flags) => {
    const up = direction === 'up' ? ['-up'] : []
    const result = await load(bench, 'transfer', [
      ...at(flags, `/api/v1/bench/${direction}`),
      '-bytes',
      '300000000',
      ...up,
    ])
    return { mbps: result['mbps'] ?? 0 }
  })
  const target = direction === 'down' ? '>= 150 MB/s' : '>= 130 MB/s'
  return [
    {
      what: `300 MB ${direction}`,
      unit: 'MB/s',
      direct: direct.mbps,
      through: through.mbps,
      target,
    },
  ]
}
