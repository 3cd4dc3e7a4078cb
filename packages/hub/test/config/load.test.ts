import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isSallyportError } from '@sallyport/protocol'
import { hubConfig } from '../../src/config/hub-config.ts'
import { hubProgram, relayProgram } from '../../src/config/hub-fields.ts'
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts'
import { renderConfig } from '../../src/config/render.ts'
import { derivedPublicUrl, parseListen } from '../../src/config/server-config.ts'
import { Secret } from '../../src/config/secret.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'config-'))
})
afterAll(() => {
  rmSync(directory, { recursive: true })
})

function file(text: string): string {
  const path = join(directory, `${Math.abs(text.length)}-${text.charCodeAt(0)}.yaml`)
  writeFileSync(path, text)
  return path
}

function load(argv: string[], env: NodeJS.ProcessEnv = {}): LoadedConfig {
  const outcome = loadConfig(hubProgram, { argv, env })
  if (outcome.kind === 'help') throw new Error('asked for help')
  return outcome.config
}

function problems(argv: string[], env: NodeJS.ProcessEnv = {}, program = hubProgram): string {
  try {
    const outcome = loadConfig(program, { argv, env })
    if (outcome.kind === 'run' && program === hubProgram) hubConfig(outcome.config)
  } catch (error) {
    if (isSallyportError(error) && error.code === 'ERR_CONFIG_INVALID') {
      expect(error.entry.exit).toBe(2)
      return error.message
    }
    throw error
  }
  throw new Error('no problem found')
}

describe('sources', () => {
  it('prefers flag to environment to file to default, and knows the origin of each', () => {
    const config = file('location: fromfile\nlogLevel: debug\nlisten: 127.0.0.1:1\n')
    const loaded = load(['--config', config, '--listen', '127.0.0.1:3'], {
      SALLYPORT_HUB_LISTEN: '127.0.0.1:2',
      SALLYPORT_HUB_LOG_LEVEL: 'warn',
    })
    expect(loaded.values).toMatchObject({
      listen: '127.0.0.1:3',
      logLevel: 'warn',
      location: 'fromfile',
    })
    expect(loaded.origins).toMatchObject({
      listen: 'flag',
      logLevel: 'environment',
      location: 'file',
      dataDirectory: 'default',
    })
    expect(loaded.values['dataDirectory']).toBe(`${homedir()}/.local/share/sallyport/hub`)
  })

  it('takes the file from the environment too', () => {
    expect(load([], { SALLYPORT_HUB_CONFIG: file('location: east\n') }).values['location']).toBe(
      'east',
    )
  })

  it('reads lists from repeated flags, commas and YAML', () => {
    expect(load(['--extra-names', 'a,b', '--extra-names', 'c']).values['extraNames']).toEqual([
      'a',
      'b',
      'c',
    ])
    const config = file('extraNames: [x, y]\n')
    expect(load(['--config', config]).values['extraNames']).toEqual(['x', 'y'])
  })

  it('accepts an empty file', () => {
    expect(load(['--config', file('# nothing\n')]).values['location']).toBe('local')
  })
})

describe('problems', () => {
  it('reports all of them at once', () => {
    const config = file('locaton: x\nlogLevel: loud\n')
    const text = problems(
      ['--config', config, '--listn', 'a:1', '--listen', 'nowhere', 'stray', '--public-url'],
      { SALLYPORT_HUB_TENNANT_ID: 'x', SALLYPORT_HUB_TENANT_ID: 'no-guid' },
    )
    for (const part of [
      'unknown flag --listn',
      "unexpected argument 'stray'",
      '--public-url needs a value',
      'unknown environment variable SALLYPORT_HUB_TENNANT_ID',
      "unknown setting 'locaton' in the file",
      '--listen: expected HOST:PORT',
      'SALLYPORT_HUB_TENANT_ID: expected GUID',
      'logLevel: expected LEVEL',
    ]) {
      expect(text).toContain(part)
    }
    expect(text.split('\n').filter((line) => line.startsWith('  - '))).toHaveLength(8)
  })

  it.each([
    ['--listen', '127.0.0.1:8443x'],
    ['--listen', '127.0.0.1:70000'],
    ['--public-url', 'http://hub'],
    ['--public-url', 'https://hub/path'],
    ['--public-url', 'https://user@hub'],
    ['--relays', 'ftp://x'],
    ['--location', 'West Europe'],
    ['--extra-names', 'a b'],
    ['--tls-key-file', '/k'],
  ])('refuses %s %s', (flag, value) => {
    expect(problems([flag, value])).toContain(flag)
  })

  it('refuses a flag given twice, a missing file, a file that is no mapping, and a required setting left out', () => {
    expect(problems(['--location', 'a', '--location', 'b'])).toContain('--location is given twice')
    expect(problems(['--config', join(directory, 'none.yaml')])).toContain('ENOENT')
    expect(problems(['--config', file('- a\n')])).toContain('not a list of settings')
    expect(problems(['--config', file('a: [\n')])).toContain('configuration file')
    expect(problems([], {}, relayProgram)).toContain('--relay-key-file is required')
  })

  it('ignores the variables Kubernetes sets for a Service named like the hub, and no other', () => {
    const service = {
      SALLYPORT_HUB_SERVICE_HOST: '10.0.0.1',
      SALLYPORT_HUB_SERVICE_PORT: '443',
      SALLYPORT_HUB_SERVICE_PORT_HTTPS: '443',
      SALLYPORT_HUB_PORT: 'tcp://10.0.0.1:443',
      SALLYPORT_HUB_PORT_443_TCP_ADDR: '10.0.0.1',
    }
    expect(load([], service).values['location']).toBe('local')
    expect(problems([], { ...service, SALLYPORT_HUB_PORTS: '1' })).toContain('SALLYPORT_HUB_PORTS')
  })
})

describe('secrets', () => {
  const env = { SALLYPORT_HUB_TLS_KEY_PASSPHRASE: 'open sesame' }

  it('have no flag, are wrapped, and print as [redacted] everywhere', () => {
    expect(problems(['--tls-key-passphrase', 'x'])).toContain('unknown flag')
    const loaded = load([], env)
    const secret = loaded.values['tlsKeyPassphrase']
    expect(secret).toBeInstanceOf(Secret)
    expect((secret as Secret).reveal()).toBe('open sesame')
    const shown = [
      renderConfig(hubProgram, loaded),
      JSON.stringify(loaded),
      inspect(loaded, { depth: 9, showHidden: true }),
      String(secret),
    ]
    for (const text of shown) {
      expect(text).not.toContain('sesame')
      expect(text).toContain('[redacted]')
    }
  })

  it('are not repeated when wrong', () => {
    const config = file('tlsKeyPassphrase: [open sesame]\n')
    const text = problems(['--config', config])
    expect(text).toContain('tlsKeyPassphrase')
    expect(text).not.toContain('sesame')
  })
})

describe('addresses', () => {
  it('parses IPv6 and derives the public origin', () => {
    expect(parseListen('[::1]:8443')).toEqual({ host: '::1', port: 8443 })
    expect(derivedPublicUrl('::1', 8443)).toBe('https://[::1]:8443')
    expect(derivedPublicUrl('127.0.0.1', 443)).toBe('https://127.0.0.1')
    expect(derivedPublicUrl('0.0.0.0', 8443)).not.toContain('0.0.0.0')
  })

  it('normalises origins and relays', () => {
    const config = hubConfig(
      load(['--public-url', 'https://Hub.Example:443/', '--relays', 'https://r1:8444/,wss://r2']),
    )
    expect(config.publicUrl).toBe('https://hub.example')
    expect(config.relays).toEqual(['wss://r1:8444', 'wss://r2'])
  })
})
