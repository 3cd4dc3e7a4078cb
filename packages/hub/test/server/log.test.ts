import { expect, it } from 'vitest'
import { SallyportError } from '@sallyport/protocol'
import { createLog, serializeError } from '../../src/server/log.ts'
import { capture } from '../hub-fixture.ts'

it('shows code, message and causes of an error, and no other property', () => {
  const cause = Object.assign(new Error('inner'), { token: 'geheim' })
  const error = new SallyportError('ERR_INTERNAL', 'outer', { cause, why: 'because' })
  const shown = serializeError(error)
  expect(shown).toMatchObject({
    code: 'ERR_INTERNAL',
    message: 'outer',
    why: 'because',
    causes: ['inner'],
  })
  expect(JSON.stringify(shown)).not.toContain('geheim')
  expect(serializeError('geheim')).toEqual({ message: 'string' })
})

it('writes one JSON line with level name and ISO time', async () => {
  const output = capture()
  createLog(output.stream, 'info').info({ event: 'x.y' })
  const [line] = await output.waitFor(/.*\n/)
  expect(JSON.parse(line)).toMatchObject({ level: 'info', event: 'x.y' })
  expect(line).toMatch(/"time":"\d{4}-\d\d-\d\dT/)
})
