/**
 * Results in every format, and what a terminal must never see.
 * @module
 */
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { escapeLine, escapeText } from '../../src/output/escape.ts'
import { flattenResource } from '../../src/output/flatten.ts'
import { chooseFormat, type OutputFormat } from '../../src/output/format.ts'
import { render } from '../../src/output/printer.ts'
import { createStyle } from '../../src/output/style.ts'
import { column } from '../../src/output/table.ts'
import { ago, duration, utc } from '../../src/output/time.ts'

const clusters = [
  { name: 'prod-eu', resourceGroup: 'stores', nodes: 3, tags: { owner: 'shop' }, seen: null },
  { name: 'x', resourceGroup: 'stores', nodes: 12, tags: {}, seen: '2026-11-23T21:02:11.000Z' },
]
const columns = [column('NAME', 'name'), column('NODES', 'nodes'), column('GROUP', 'resourceGroup')]

function show(
  value: unknown,
  format: OutputFormat,
  more: { query?: string; width?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const stdout = Object.assign(new PassThrough(), {
    isTTY: more.width !== undefined,
    columns: more.width,
  })
  const style = createStyle(stdout, more.env ?? {}, { colour: true })
  return render(value, columns, { stdout, format, query: more.query, style })
}

describe('formats', () => {
  it('table: upper-case headers, two spaces, no borders, nothing behind the last column', async () => {
    expect(await show(clusters, 'table')).toBe(
      'NAME     NODES  GROUP\nprod-eu  3      stores\nx        12     stores\n',
    )
  })
  it('table of nothing still names its columns', async () => {
    expect(await show([], 'table')).toBe('NAME  NODES  GROUP\n')
  })
  it('table: truncated on a terminal only', async () => {
    expect(await show(clusters, 'table', { width: 14 })).toContain('prod-eu  3  ...\n'.slice(0, 11))
    for (const line of (await show(clusters, 'table', { width: 14 })).trimEnd().split('\n'))
      expect(line.length).toBeLessThanOrEqual(14)
  })
  it('table: a query picks the columns', async () => {
    expect(await show(clusters, 'table', { query: '[].{id:name, nodeCount:nodes}' })).toBe(
      'ID       NODE_COUNT\nprod-eu  3\nx        12\n',
    )
  })
  it('table: wide characters count two', async () => {
    expect(await show([{ name: '漢字', nodes: 1, resourceGroup: 'g' }], 'table')).toBe(
      'NAME  NODES  GROUP\n漢字  1      g\n',
    )
  })
  it('tsv: no header, tabs and line breaks escaped, a scalar alone', async () => {
    expect(await show(clusters, 'tsv', { query: '[].[name, nodes, seen]' })).toBe(
      'prod-eu\t3\t\nx\t12\t2026-11-23T21:02:11.000Z\n',
    )
    expect(await show('a\tb\nc\\d', 'tsv')).toBe('a\\tb\\nc\\\\d\n')
    expect(await show(clusters, 'tsv', { query: '[0].name' })).toBe('prod-eu\n')
    expect(await show(clusters, 'tsv', { query: 'nothing' })).toBe('')
  })
  it('json: two spaces, order kept', async () => {
    expect(await show({ b: 1, a: [true] }, 'json')).toBe(
      '{\n  "b": 1,\n  "a": [\n    true\n  ]\n}\n',
    )
  })
  it('jsonc: the same without colours, coloured on a terminal', async () => {
    expect(await show(clusters, 'jsonc')).toBe(await show(clusters, 'json'))
    const coloured = await show(clusters, 'jsonc', { width: 80 })
    expect(coloured).toContain('\u001b[')
    // eslint-disable-next-line no-control-regex -- takes the colours away again
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(await show(clusters, 'json'))
  })
  it('yaml: reads back as the same value', async () => {
    expect(parse(await show(clusters, 'yaml'))).toEqual(clusters)
  })
  it('none: nothing', async () => {
    expect(await show(clusters, 'none')).toBe('')
  })
  it('a malformed query is a usage error', async () => {
    await expect(show(clusters, 'json', { query: '[' })).rejects.toMatchObject({
      code: 'ERR_USAGE',
    })
  })
})

describe('choice of format', () => {
  const choose = (flag: string | undefined, variable: string | undefined, isTerminal: boolean) =>
    chooseFormat({ flag, env: { SALLYPORT_OUTPUT: variable }, isTerminal })
  it('flag, else variable, else table on a terminal and json elsewhere', () => {
    expect(choose('yaml', 'tsv', true)).toBe('yaml')
    expect(choose(undefined, 'tsv', true)).toBe('tsv')
    expect(choose(undefined, undefined, true)).toBe('table')
    expect(choose(undefined, '', false)).toBe('json')
    expect(() => choose('xml', undefined, false)).toThrow(/--output 'xml'/)
    expect(() => choose(undefined, 'xml', false)).toThrow(/SALLYPORT_OUTPUT 'xml'/)
  })
})

describe('colour', () => {
  const paints = (env: NodeJS.ProcessEnv, isTTY: boolean, colour = true) =>
    createStyle(Object.assign(new PassThrough(), { isTTY }), env, { colour }).paint('red', 'x') !==
    'x'
  it('only on a terminal, never with NO_COLOR, TERM=dumb or --no-color; forced elsewhere', () => {
    expect(paints({}, true)).toBe(true)
    expect(paints({}, false)).toBe(false)
    expect(paints({ NO_COLOR: '1' }, true)).toBe(false)
    expect(paints({ NO_COLOR: '' }, true)).toBe(true)
    expect(paints({ TERM: 'dumb' }, true)).toBe(false)
    expect(paints({ FORCE_COLOR: '1' }, false)).toBe(true)
    expect(paints({ CLICOLOR_FORCE: '1' }, false)).toBe(true)
    expect(paints({ FORCE_COLOR: '1', NO_COLOR: '1' }, false)).toBe(false)
    expect(paints({}, true, false)).toBe(false)
  })
})

describe('T-TERM-1: text of others', () => {
  const attack =
    'a\u001b]8;;http://evil\u0007b\u009b31m\u202eevil\u2066\u2069\u200b\u007f\r\u0000\ufeff'
  /** Whether a character may reach a terminal: printable, or the layout of the format itself. */
  const isHarmless = (character: string) =>
    character === '\n' || character === '\t' || !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(character)
  it.each(['table', 'json', 'jsonc', 'yaml', 'tsv'] as const)(
    'is escaped in %s',
    async (format) => {
      const text = await show([{ name: attack, [attack]: attack }], format)
      expect(Array.from(text).every(isHarmless)).toBe(true)
      expect(text).toMatch(/\\u001b|\\e/)
    },
  )
  it('json and yaml still mean the same text', async () => {
    expect(JSON.parse(await show({ name: attack }, 'json'))).toEqual({ name: attack })
    expect(parse(await show({ name: attack }, 'yaml'))).toEqual({ name: attack })
  })
  it('keeps letters of every language and, where it may, line breaks', () => {
    expect(escapeLine('é ж 漢 😀')).toBe('é ж 漢 😀')
    expect(escapeLine('a\nb')).toBe('a\\u000ab')
    expect(escapeText('a\n\tb\r')).toBe('a\n\tb\\u000d')
  })
})

describe('resources as az prints them', () => {
  it('properties come to the top level, resourceGroup is added, the envelope wins', () => {
    const id = '/subscriptions/s/resourceGroups/Stores/providers/Microsoft.Kubernetes/x/y'
    expect(
      flattenResource({ id, name: 'y', properties: { name: 'other', nodes: 3 }, tags: {} }),
    ).toEqual({ id, name: 'y', tags: {}, nodes: 3, resourceGroup: 'Stores' })
  })
})

describe('times', () => {
  it('reads as people say it', () => {
    expect([0, 59_000, 61_000, 3 * 3_600_000, 50 * 3_600_000].map(duration)).toEqual([
      '0 s',
      '59 s',
      '1 min',
      '3 h',
      '2 d',
    ])
    expect(utc(Date.UTC(2026, 10, 23, 21, 2, 11))).toBe('2026-11-23 21:02:11Z')
    expect(ago('2026-11-23T21:02:11Z', Date.UTC(2026, 10, 23, 21, 16, 11))).toBe('14 min')
    expect(ago(undefined, 0)).toBe('')
  })
})
