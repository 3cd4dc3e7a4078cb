import { expect, test } from 'vitest'
import { provideKubeTools } from '../src/index.ts'
import { runCommand } from '../src/run-command.ts'

test('four kubectl and three helm versions run and are what they are said to be', async () => {
  const tools = await provideKubeTools()
  const versions = tools.map(({ version }) => version)
  expect(versions).toEqual(['1.31.9', '1.33.9', '1.36.3', expect.stringMatching(/^1\.\d+\.\d+/)])
  for (const { version, kubectl } of tools)
    expect(await runCommand([kubectl, 'version', '--client'])).toContain(`v${version}\n`)
  const helms = tools.flatMap(({ helm }) => helm ?? [])
  const said = await Promise.all(helms.map((helm) => runCommand([helm, 'version', '--short'])))
  expect(said.map((text) => text.split('+')[0])).toEqual(['v3.17.3', 'v4.1.4', 'v4.2.3'])
})
