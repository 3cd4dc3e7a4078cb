/**
 * Completion: scripts that shells accept, and candidates for every place of a line.
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { cli } from '../run-cli.ts'

async function complete(...words: string[]): Promise<{ values: string[]; directive: string }> {
  const { code, stdout } = await cli(['__complete', ...words])
  expect(code).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  const directive = lines.pop() ?? ''
  return { values: lines.map((line) => line.split('\t')[0] ?? ''), directive }
}

describe('scripts', () => {
  it.each(['bash', 'zsh', 'fish', 'powershell'])('%s asks __complete', async (shell) => {
    const { code, stdout } = await cli(['completion', shell])
    expect(code).toBe(0)
    expect(stdout).toContain('sallyport __complete')
  })
  it('bash accepts and uses its script', async () => {
    const { stdout } = await cli(['completion', 'bash'])
    const use = `${stdout}
sallyport() { printf 'proxy\\treach a cluster\\nprint\\tx\\n:0\\n'; }
COMP_WORDS=(sallyport pr); COMP_CWORD=1; _sallyport; printf '%s\\n' "\${COMPREPLY[@]}"`
    expect(execFileSync('bash', ['-c', use], { encoding: 'utf8' })).toBe('proxy\nprint\n')
  })
  it.each(['zsh', 'fish'])('%s accepts its script, where it is installed', async (shell) => {
    const { stdout } = await cli(['completion', shell])
    const { status, error, stderr } = spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' })
    if (error === undefined) expect(status, stderr).toBe(0)
  })
})

describe('candidates', () => {
  it('commands and programs', async () => {
    const { values, directive } = await complete('')
    expect(values).toEqual(expect.arrayContaining(['proxy', 'connectedk8s', 'hub']))
    expect(values).not.toContain('__complete')
    expect(directive).toBe(':0')
    expect((await complete('pro')).values).toEqual(['proxy'])
    expect((await complete('connectedk8s', 's')).values).toEqual(['show'])
  })
  it('options of the command, and everywhere', async () => {
    const { values } = await complete('proxy', '--')
    expect(values).toEqual(expect.arrayContaining(['--port', '--token-file', '--output']))
    expect((await complete('--h')).values).toEqual(['--hub', '--help'])
  })
  it('values of options', async () => {
    expect((await complete('list', '-o', 't')).values).toEqual(['table', 'tsv'])
    expect((await complete('-o', 'js')).values).toEqual(['json', 'jsonc'])
    expect(await complete('proxy', '-f', '')).toEqual({ values: [], directive: ':1' })
    expect((await complete('connect', '--agent', '')).values).toEqual(['process'])
  })
  it('arguments', async () => {
    expect((await complete('completion', 'f')).values).toEqual(['fish'])
    expect((await complete('help', 'e')).values).toEqual(['exit-codes', 'environment'])
  })
  it('behind -- files', async () => {
    expect((await complete('proxy', 'x', '--', '')).directive).toBe(':1')
  })
  it('without sign-in or with an unknown command: nothing, and no error', async () => {
    expect(await complete('proxy', '')).toEqual({ values: [], directive: ':0' })
    expect(await complete('nothing', '')).toEqual({ values: [], directive: ':0' })
    expect(await complete('proxy', '--help', '')).toEqual({ values: [], directive: ':0' })
  })
})
