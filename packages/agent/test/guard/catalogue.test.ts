import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Rows of the catalogue of bad inputs that are about http, guard, path and upgrades. */
const rows = [...range(1, 58), ...range(113, 126)].map((row) => `X${String(row).padStart(3, '0')}`)
const promises = [
  ...['1', '2', '3', '4', '5', '6', '7', '8', '9', '11', '12', '13'].map((id) => `T-IMP-${id}`),
  ...['T-HOP-1', 'T-UPG-1', 'T-UPG-2', 'T-UPG-3', 'T-CON-1', 'T-CON-2', 'T-SMUG-1', 'T-SA-1'],
  ...['T-PATH-1', 'T-PATH-2', 'T-PATH-3', 'T-PATH-4', 'T-RED-1', 'T-AUTHZ-1'],
]

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** Every id that a test's title or a row of its table names, in this package and in the oracle's. */
function named(): Set<string> {
  const ids = new Set<string>()
  for (const folder of ['..', '../../../../test/oracle/test']) {
    const root = fileURLToPath(new URL(folder, import.meta.url))
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.test.ts') || isThis(name)) continue
      const source = readFileSync(join(root, name), 'utf8').replaceAll(
        /^\s*(?:\/\/|\*|\/\*).*$/gm,
        '',
      )
      // Only inside quotes: an id in code or in a comment proves nothing.
      for (const [text] of source.matchAll(/(['`])(?:(?!\1|\n).)*\1/g))
        for (const [id] of text.matchAll(/X\d{3}\b|T-[A-Z]+-\d+\b/g)) ids.add(id)
    }
  }
  return ids
}

function isThis(name: string): boolean {
  return name.endsWith('guard/catalogue.test.ts')
}

test('every row of the catalogue is a test named by its id', () => {
  const ids = named()
  expect([...rows, ...promises].filter((id) => !ids.has(id))).toEqual([])
})
