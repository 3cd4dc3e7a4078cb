/**
 * Help as people read it, wrong words, and exit codes by name.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { errorRegistry, version } from '@sallyport/protocol'
import { catalogue } from '../../src/commands/catalogue.ts'
import { isGroup, nearest, type Entry } from '../../src/commands/find-command.ts'
import { exitCodes } from '../../src/commands/help.ts'
import { cli } from '../run-cli.ts'

/** Every command by its words. */
function paths(entry: Entry, path: string[] = []): string[][] {
  if (!isGroup(entry)) return [path]
  return Object.entries(entry.entries)
    .filter(([, child]) => child.hidden !== true)
    .flatMap(([name, child]) => paths(child, [...path, name]))
}

describe('help', () => {
  it('of everything', async () => {
    const { code, stdout } = await cli(['--help'])
    expect(code).toBe(0)
    expect(stdout).toMatchSnapshot()
  })
  it.each(paths(catalogue).map((path) => path.join(' ')))('of %s', async (line) => {
    const { code, stdout, stderr } = await cli([...line.split(' '), '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatchSnapshot()
    expect(stdout.indexOf('Examples')).toBeLessThan(stdout.indexOf('Everywhere'))
    for (const text of stdout.split('\n'))
      expect(text.length, text).toBeLessThanOrEqual(text.startsWith('  sallyport') ? 160 : 120)
    expect(stdout.split('\n').length).toBeLessThanOrEqual(50)
  })
  it('long and short forms are the same command', async () => {
    const short = await cli(['proxy', '--help'])
    const long = await cli(['connectedk8s', 'proxy', '--help'])
    expect(long.stdout.replaceAll('connectedk8s ', '')).toBe(short.stdout)
  })
  it('topics', async () => {
    expect((await cli(['help', 'exit-codes'])).stdout).toMatchSnapshot()
    expect((await cli(['help', 'environment'])).stdout).toMatchSnapshot()
    expect((await cli(['help', 'proxy'])).stdout).toBe((await cli(['proxy', '--help'])).stdout)
    expect((await cli(['help', 'nothing'])).code).toBe(2)
  })
  it('of a group without a verb: shown on stderr, exit 2', async () => {
    const { code, stdout, stderr } = await cli(['group'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('sallyport group COMMAND')
  })
})

describe('wrong words', () => {
  it.each([
    [['prxy'], 'did you mean sallyport proxy?'],
    [['connectedk8s', 'shwo'], 'did you mean sallyport connectedk8s show?'],
    [['zzzzzzzz'], 'see sallyport --help'],
    [['list', '--resorce-group', 'x'], 'did you mean --resource-group?'],
    [['list', 'extra'], 'sallyport list --help'],
    [['list', '-o'], 'sallyport list --help'],
    [['list', '-o', 'xml'], 'use one of table, json'],
    [['show'], '-n NAME is required'],
    [['proxy', 'x', '--port', 'seven'], '--port must be a number from 0 to 65535'],
    [['proxy', 'x', '--port', '70000'], '--port must be a number'],
    [['completion', 'tcsh'], 'use one of bash'],
    [['login'], '--hub'],
    [['login', '-u', 'x'], '--service-principal'],
    [
      [
        'login',
        '--service-principal',
        '-u',
        'x',
        '-p',
        '-',
        '--certificate',
        'c',
        '--hub',
        'https://h',
      ],
      '--password and --certificate',
    ],
    [['account', 'set'], 'nothing is chosen'],
    [['login', '--service-principal'], '-u CLIENT_ID is required'],
    [['login', '--service-principal', '-u', 'x'], '--hub'],
    [['login', '--service-principal', '-u', 'x', '--hub', 'http://h'], 'not the address of a hub'],
    [
      ['login', '--service-principal', '-u', 'x', '--hub', 'https://h/p'],
      'not the address of a hub',
    ],
    [['login', '--service-principal', '-u', 'x', '--hub', 'https://h'], 'SALLYPORT_CLIENT_SECRET'],
    [['api', 'FETCH', '/x'], 'use one of GET'],
  ])('%j: exit 2 and %s', async (argv, text) => {
    const { code, stdout, stderr } = await cli(argv)
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error: /)
    expect(stderr).toMatch(/^ try: {2}/m)
    expect(stderr).toContain(text)
    expect(stderr).not.toMatch(/\n\s+at /)
  })
  it('near is near', () => {
    expect(nearest('porxy', ['proxy', 'show'])).toBe('proxy')
    expect(nearest('lsit', ['list', 'show'])).toBe('list')
    expect(nearest('xyzzy', ['proxy', 'show'])).toBeUndefined()
  })
})

describe('errors', () => {
  it('without sign-in: exit 4 and the command to paste', async () => {
    const { code, stderr } = await cli(['list'])
    expect(code).toBe(4)
    expect(stderr).toBe('error: nobody is signed in\n try:  sallyport login --hub URL\n')
  })
  it('-o json: as JSON on stderr, also when the line cannot be parsed', async () => {
    for (const argv of [
      ['list', '-o', 'json'],
      ['lsit', '--output=json'],
      ['-o', 'json', 'list', '--wrong'],
    ]) {
      const { stderr, stdout } = await cli(argv)
      expect(stdout).toBe('')
      const { error } = JSON.parse(stderr) as { error: Record<string, unknown> }
      expect(Object.keys(error)).toEqual(expect.arrayContaining(['code', 'message', 'hint']))
    }
  })
  it('a format that only the program behind -- asks for does not count', async () => {
    const { stderr } = await cli(['proxy', 'x', '--', 'kubectl', '-o', 'json'])
    expect(stderr).toMatch(/^error: /)
  })
  it('NODE_TLS_REJECT_UNAUTHORIZED is refused', async () => {
    const { code, stderr } = await cli(['list'], { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } })
    expect(code).toBe(2)
    expect(stderr).toContain('unset NODE_TLS_REJECT_UNAUTHORIZED')
  })
  it('every exit code of the registry is explained', () => {
    const explained = new Set(exitCodes.map(([code]) => code))
    for (const [name, entry] of Object.entries(errorRegistry))
      expect(explained.has(entry.exit), name).toBe(true)
  })
})

describe('version', () => {
  it('--version is that of the workspace', async () => {
    expect((await cli(['--version'])).stdout).toBe(`sallyport ${version}\n`)
  })
  it('version needs no sign-in', async () => {
    const { code, stdout } = await cli(['version', '-o', 'json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ client: { version }, hub: null })
  })
})
