/**
 * Writes `docs/configuration.md`; run it after a change to the fields.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { hubProgram, relayProgram } from './hub-fields.ts'
import { renderDocument } from './render.ts'

writeFileSync(
  new URL('../../../../docs/configuration.md', import.meta.url),
  renderDocument([hubProgram, relayProgram]),
)
