/**
 * The link over a relay of its own, past middleboxes, through forward proxies, and what the relay sees of it.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { runAs, sallyportStart } from '../../src/actors.ts'
import { freePort } from '../../src/free-port.ts'
import { startForwardProxy, startMiddlebox } from '../../src/middlebox.ts'
import { sandboxCluster, startRelayAlone, startSandbox, type Sandbox } from '../../src/sandbox.ts'
import { verifies } from '../../src/verifies.ts'

const recorder = fileURLToPath(new URL('../../src/recorder.ts', import.meta.url))

/** Starts a proxy in a sandbox; `use` gets kubectl through it. */
async function withProxy(
  sandbox: Sandbox,
  options: { args?: string[]; env?: Record<string, string> },
  use: (kubectl: (...args: string[]) => Promise<string>) => Promise<void>,
): Promise<void> {
  const { user, cluster } = sandbox
  const kubeconfig = join(sandbox.directory, 'proxy.kubeconfig')
  const args = [
    'proxy',
    ...sandboxCluster,
    '--port',
    '0',
    '-f',
    kubeconfig,
    ...(options.args ?? []),
  ]
  const proxy = sallyportStart(user, args, { env: options.env ?? {} })
  try {
    await proxy.waitFor(/ready/i)
    await use(async (...words) => {
      const result = await runAs(user, [cluster.kubectl, `--kubeconfig=${kubeconfig}`, ...words])
      return result.stdout + result.stderr
    })
  } finally {
    await proxy.stop('SIGINT')
  }
}

verifies(
  ['relay.alone', 'relay.blind'],
  async () => {
    const port = await freePort()
    const sandbox = await startSandbox({ relays: [`wss://127.0.0.1:${port}`] })
    try {
      const record = join(sandbox.directory, 'record')
      writeFileSync(record, '')
      const env = { NODE_OPTIONS: `--import=${recorder}`, SALLYPORT_RECORD: record }
      const relay = await startRelayAlone(sandbox, port, env)
      sandbox.onEnd(() => relay.stop())
      await sandbox.connect()
      const { cluster, user } = sandbox
      const admin = (...args: string[]) =>
        runAs(user, [cluster.kubectl, `--kubeconfig=${cluster.kubeconfig}`, ...args])
      await admin('create', 'serviceaccount', 'blind', '-n', 'default')
      const token = (await admin('create', 'token', 'blind', '-n', 'default')).stdout.trim()
      const tokenFile = join(sandbox.directory, 'token')
      writeFileSync(tokenFile, token, { mode: 0o600 })
      const marker = 'plaintext-marker-7f3a'
      await withProxy(sandbox, { args: ['--token-file', tokenFile] }, async (kubectl) => {
        expect(await kubectl('get', 'configmaps', '-n', marker)).toContain(
          'system:serviceaccount:default:blind',
        )
      })
      await withProxy(sandbox, {}, async (kubectl) => {
        expect(await kubectl('get', 'configmaps', '-n', marker)).toContain(sandbox.hub.objectId)
      })
      const seen = readFileSync(record)
      // The recorder works: the relay's own part of the conversation is there, and many bytes that are not.
      expect(seen.includes('/$hc/microsoft.kubernetes/connectedclusters/')).toBe(true)
      expect(seen.includes('"accept"')).toBe(true)
      expect(seen.length).toBeGreaterThan(20_000)
      const secrets = [
        token,
        token.slice(-40),
        'eyJhbGciOi',
        marker,
        'Impersonate-User',
        'GET /api',
        sandbox.hub.objectId,
      ]
      for (const secret of secrets) expect(seen.includes(secret), secret.slice(0, 20)).toBe(false)
    } finally {
      await sandbox.stop()
    }
  },
  180_000,
)

verifies(
  'relay.middlebox',
  async () => {
    // The middlebox has to be there before the hub names it; its target is known only then.
    const [hubPort, boxPort] = [await freePort(), await freePort()]
    const sandbox = await startSandbox({ relays: [`wss://127.0.0.1:${boxPort}`], port: hubPort })
    try {
      const pem = readFileSync(join(sandbox.hub.dataDirectory, 'tls', 'server.pem'), 'utf8')
      const ca = readFileSync(sandbox.hub.caFile, 'utf8')
      const box = await startMiddlebox(
        { listen: boxPort, target: hubPort },
        { key: pem, cert: pem, ca },
      )
      sandbox.onEnd(() => box.close())
      await sandbox.connect()
      await withProxy(sandbox, {}, async (kubectl) => {
        expect(await kubectl('auth', 'whoami')).toContain(sandbox.hub.objectId)
        expect(await kubectl('get', '--raw', '/openapi/v2')).toContain('swagger')
      })
      expect(box.seen.some((line) => line.includes('sb-hc-action=connect'))).toBe(true)
    } finally {
      await sandbox.stop()
    }
  },
  180_000,
)

verifies(
  'relay.forward-proxy',
  async () => {
    const sandbox = await startSandbox()
    try {
      const hop = await startForwardProxy('agent:s3cret')
      sandbox.onEnd(() => hop.close())
      const env = {
        HTTPS_PROXY: `http://agent:s3cret@127.0.0.1:${hop.port}`,
        NO_PROXY: new URL(sandbox.cluster.server).host,
      }
      await sandbox.connect(env)
      const { host } = new URL(sandbox.hub.url)
      expect(hop.seen).toContain(host)
      const before = hop.seen.length
      await withProxy(sandbox, { env }, async (kubectl) => {
        expect(await kubectl('auth', 'whoami')).toContain(sandbox.hub.objectId)
      })
      expect(hop.seen.length).toBeGreaterThan(before)
      const wrong = sallyportStart(sandbox.user, ['list'], {
        env: { HTTPS_PROXY: `http://agent:wrong@127.0.0.1:${hop.port}` },
      })
      const end = await wrong.ended
      expect(end.code).toBe(6)
      expect(end.stderr).toContain('407')
      expect(end.stderr).not.toContain('wrong')
    } finally {
      await sandbox.stop()
    }
  },
  180_000,
)
