import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { flagName } from '../../src/config/field.ts'
import { hubProgram, relayProgram } from '../../src/config/hub-fields.ts'
import { loadConfig } from '../../src/config/load.ts'
import { renderConfig, renderDocument, renderHelp } from '../../src/config/render.ts'

describe.each([hubProgram, relayProgram])('$command', (program) => {
  it('explains every setting in its help', () => {
    const help = renderHelp(program)
    for (const [name, field] of Object.entries(program.fields)) {
      if (field.kind !== 'secret') expect(help).toContain(`${flagName(name)} ${field.placeholder}`)
      expect(field.description).toMatch(/\.$/)
    }
  })
})

it('docs/configuration.md is what the fields say (run: npm run write-configuration -w packages/hub)', () => {
  const path = new URL('../../../../docs/configuration.md', import.meta.url)
  expect(readFileSync(path, 'utf8')).toBe(renderDocument([hubProgram, relayProgram]))
})

it('prints a configuration that reads back the same', () => {
  const outcome = loadConfig(hubProgram, {
    argv: ['--print-config', '--extra-names', 'a,b', '--location', 'east'],
    env: {},
  })
  if (outcome.kind !== 'print') throw new Error('not asked to print')
  const text = renderConfig(hubProgram, outcome.config)
  expect(text).toContain('location: east # flag')
  expect(parse(text)).toEqual(outcome.config.values)
})
