import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const program = join(import.meta.dirname, '..', 'src', 'main.ts')

test.each([['--size', 'huge'], ['--port', '70000'], ['--nonsense'], ['--help']])(
  'wrong use (%s %s) is told on standard error, with nothing on standard output',
  (...flags) => {
    const words = flags.filter((flag) => flag !== undefined)
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
      encoding: 'utf8',
    })
    expect(status).toBe(words.includes('--help') ? 0 : 2)
    expect(stdout).toBe('')
    expect(stderr).toContain('usage: node test/cluster/src/main.ts')
  },
)

test('what is missing is named before anything starts', () => {
  const { status, stderr } = spawnSync(process.execPath, [program, '--size', 'node'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: '/nonexistent', HOME: '/nonexistent', XDG_CACHE_HOME: '' },
  })
  expect(status).toBe(1)
  expect(stderr).toMatch(/^missing on this machine: .*go/m)
  expect(stderr).toContain('apt-get install -y')
})
