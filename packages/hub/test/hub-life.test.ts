import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import {
  call,
  capture,
  hubHome,
  postForm,
  rawConnection,
  runToEnd,
  startProgram,
  type Answer,
  type HubHome,
} from './hub-fixture.ts'

let home: HubHome

describe('the life of a hub', () => {
  beforeEach(() => {
    home = hubHome()
  })
  afterEach(() => {
    home.remove()
  })

  it('prints the administrator once on stdout, with a line to paste, and the same CA at every start', async () => {
    const argv = ['--data-directory', home.data, '--listen', '127.0.0.1:0']
    const first = await startProgram('hub', argv)
    const [, fingerprint] = await first.stdout.waitFor(/CA fingerprint (sha256:\S+)/)
    const [, secret = ''] = await first.stdout.waitFor(/client secret {2}(\S+)/)
    expect(first.stdout.text()).toMatch(
      /sallyport login --service-principal -u \S+ --tenant \S+ --hub https:\S+ --hub-fingerprint sha256:/,
    )
    expect(first.stderr.text()).not.toContain(secret)
    await expect(first.stop()).resolves.toBe(0)
    const store = readFileSync(join(home.data, 'hub.db'))
    expect(store.includes(secret)).toBe(false)
    expect(statSync(home.data).mode & 0o777).toBe(0o700)
    const second = await startProgram('hub', argv)
    expect(second.stdout.text()).toContain(`CA fingerprint ${fingerprint ?? '?'}`)
    expect(second.stdout.text()).not.toContain('client secret')
    await second.stop()
  })

  it('gives a new administrator secret while stopped, and the old one stops working', async () => {
    const first = await startProgram('hub', home.flags())
    const old = home.administrator()
    const busy = await runToEnd('hub', ['reset-administrator', ...home.flags()])
    expect(busy).toMatchObject({ code: 8 })
    await first.stop()
    expect(await runToEnd('hub', ['reset-administrator', ...home.flags()])).toMatchObject({
      code: 0,
    })
    const fresh = home.administrator()
    expect(fresh.clientId).toBe(old.clientId)
    const second = await startProgram('hub', home.flags())
    const ask = (clientSecret: string): Promise<Answer> =>
      postForm(`${second.url}/${fresh.tenantId}/oauth2/v2.0/token`, home.ca(), {
        grant_type: 'client_credentials',
        client_id: fresh.clientId,
        client_secret: clientSecret,
      })
    expect((await ask(old.clientSecret)).status).toBe(401)
    expect((await ask(fresh.clientSecret)).status).toBe(200)
    await second.stop()
  })

  it('keeps the ids it was given, and refuses others later', async () => {
    const [tenant, subscription] = [crypto.randomUUID(), crypto.randomUUID()]
    const hub = await startProgram(
      'hub',
      home.flags('--tenant-id', tenant, '--subscription-id', subscription),
    )
    expect(home.administrator()).toMatchObject({
      tenantId: tenant,
      subscriptionId: subscription,
    })
    await hub.stop()
    for (const flag of ['--tenant-id', '--subscription-id']) {
      const other = await runToEnd('hub', home.flags(flag, crypto.randomUUID()))
      expect(other.code).toBe(2)
      expect(other.stderr).toContain('ERR_CONFIG_INVALID')
    }
  })

  it('finishes requests in flight when stopped, and is not ready meanwhile', async () => {
    const hub = await startProgram('hub', home.flags())
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ca = home.ca()
    await call(`${hub.url}/healthz`, { ca, agent })
    const { socket, closed } = await rawConnection(hub.url, ca)
    socket.write(
      'POST /x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n',
    )
    await new Promise((resolve) => socket.once('data', resolve))
    const stopped = hub.stop()
    await hub.stderr.waitFor(/hub\.stopping/)
    await expect(call(`${hub.url}/healthz`, { ca })).rejects.toThrow(/ECONNREFUSED/)
    socket.write('{}')
    const start = Date.now()
    expect(await closed).toMatch(/HTTP\/1\.1 404 [^]*connection: close/i)
    expect(Date.now() - start).toBeLessThan(limits.gracefulStopMs / 2)
    await expect(stopped).resolves.toBe(0)
    agent.destroy()
  })

  describe('as a process', () => {
    /** Starts the hub in a process of its own and holds one request open. */
    async function startProcess(): Promise<{
      child: ChildProcess
      ended: Promise<[number | null, NodeJS.Signals | null]>
      held: TLSSocket
    }> {
      const main = new URL('../src/main.ts', import.meta.url).href
      const code = `
        import { runHub } from ${JSON.stringify(main)}
        const { argv, env, stdout, stderr } = process
        const signal = new AbortController().signal
        process.exitCode = await runHub({ argv: argv.slice(1), env, stdout, stderr, signal })`
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', code, '--', ...home.flags()],
        {
          env: { PATH: process.env['PATH'] },
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      )
      const { promise, resolve } = Promise.withResolvers<[number | null, NodeJS.Signals | null]>()
      child.once('exit', (exit, signal) => {
        resolve([exit, signal])
      })
      const output = capture()
      child.stdout.pipe(output.stream)
      const [, url = ''] = await output.waitFor(/hub ready at (\S+)/)
      const { socket } = await rawConnection(url, home.ca())
      socket.write(
        'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n',
      )
      await new Promise((done) => socket.once('data', done))
      return { child, ended: promise, held: socket }
    }

    it('stops gracefully on SIGTERM', async () => {
      const { child, ended, held } = await startProcess()
      child.kill('SIGTERM')
      held.write('{}')
      await expect(ended).resolves.toEqual([0, null])
    })

    it('stops at once on a second signal', async () => {
      const { child, ended, held } = await startProcess()
      child.kill('SIGTERM')
      // The first signal has arrived when the port is closed.
      await expect
        .poll(() =>
          rawConnection(`https://127.0.0.1:${held.remotePort ?? 0}`, home.ca()).then(
            () => 'open',
            () => 'closed',
          ),
        )
        .toBe('closed')
      child.kill('SIGTERM')
      await expect(ended).resolves.toEqual([130, null])
    })

    it('is ready again with all its data after SIGKILL', async () => {
      const { child, ended } = await startProcess()
      const before = home.administrator()
      child.kill('SIGKILL')
      await ended
      const hub = await startProgram('hub', home.flags())
      const answer = await postForm(`${hub.url}/${before.tenantId}/oauth2/v2.0/token`, home.ca(), {
        grant_type: 'client_credentials',
        client_id: before.clientId,
        client_secret: before.clientSecret,
      })
      expect(answer.status).toBe(200)
      expect(home.administrator()).toEqual(before)
      await hub.stop()
    })
  })

  it('cannot be started with a store of a newer schema, a damaged one, or damaged keys', async () => {
    const hub = await startProgram('hub', home.flags())
    await hub.stop()
    const path = join(home.data, 'hub.db')
    const db = new DatabaseSync(path)
    db.exec("INSERT INTO schema_versions (version, name, applied_at) VALUES (999, 'future', 0)")
    db.close()
    const newer = await runToEnd('hub', home.flags())
    expect(newer.code).toBe(9)
    expect(newer.stderr).toMatch(/schema 999.*\[ERR_STORE_SCHEMA_NEWER\]\n$/)
    writeFileSync(path, 'not a store')
    const damaged = await runToEnd('hub', home.flags())
    expect(damaged.code).toBe(1)
    expect(damaged.stderr).toContain('ERR_STORE_CORRUPT')
    expect(readFileSync(path, 'utf8')).toBe('not a store')
  })

  it('refuses to go on with another cluster token key than the agents know', async () => {
    const hub = await startProgram('hub', home.flags())
    await hub.stop()
    rmSync(join(home.data, 'keys', 'cluster-token.json'))
    const lost = await runToEnd('hub', home.flags())
    expect(lost.code).toBe(1)
    expect(lost.stderr).toContain('ERR_STATE_INVALID')
  })

  it.each([
    [['--listn', '127.0.0.1:0'], 2, /unknown flag --listn/],
    [['--listen', '192.0.2.1:1'], 2, /not an address of this machine/],
    [['--data-directory', '/proc/nowhere'], 1, /cannot use the data directory/],
  ])('ends with one clear line for %j', async (argv, code, message) => {
    const base = argv[0] === '--data-directory' ? [] : ['--data-directory', home.data]
    const ended = await runToEnd('hub', [...base, ...argv])
    expect(ended.code).toBe(code)
    expect(ended.stderr).toMatch(message)
    expect(ended.stderr).not.toContain('    at ')
  })

  it('refuses an unknown environment variable of its own prefix (T-CFG-1)', async () => {
    const ended = await runToEnd('hub', home.flags(), { SALLYPORT_HUB_PUBLIC_ULR: 'https://x' })
    expect(ended).toMatchObject({ code: 2 })
    expect(ended.stderr).toContain('SALLYPORT_HUB_PUBLIC_ULR')
  })

  it('leaves no administrator behind when the credentials cannot be written', async () => {
    const broken = await runToEnd('hub', [
      '--data-directory',
      home.data,
      '--listen',
      '127.0.0.1:0',
      '--administrator-file',
      '/proc/nowhere/administrator.json',
    ])
    expect(broken.code).toBe(1)
    const hub = await startProgram('hub', home.flags())
    expect(home.administrator().clientSecret).toMatch(/^sp_/)
    await hub.stop()
  })

  it('prints help and configuration without starting', async () => {
    const help = await runToEnd('hub', ['--help'])
    expect(help.code).toBe(0)
    expect(help.stdout).toContain('reset-administrator')
    const printed = await runToEnd('hub', ['--print-config', '--location', 'east'])
    expect(printed.stdout).toContain('location: east # flag')
  })
})
