/**
 * Bad input of every kind: clear error, right exit code, nothing left behind.
 * @module
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { runAs, sallyport, startAs } from '../../src/actors.ts'
import type { ProcessResult } from '../../src/process.ts'
import {
  applyDirect,
  cluster,
  directOk,
  grant,
  kubectl,
  lab,
  revoke,
  startProxy,
} from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

beforeAll(() => grant('faults-view', 'view'))
afterAll(() => revoke('faults-view'))

const file = (name: string) => join(lab().developer.home, name)

function proxy(args: string[], env: Record<string, string> = {}): Promise<ProcessResult> {
  const { developer, clusterName, resourceGroup } = lab()
  const named = args.includes('-n') ? [] : ['-n', clusterName]
  return sallyport(developer, ['connectedk8s', 'proxy', ...named, '-g', resourceGroup, ...args], {
    env,
  })
}

/** Every error says what failed and what to do next, on stderr, with nothing on stdout and no stack trace. */
function expectClearError(result: ProcessResult, code: number): void {
  expect(result, result.stderr).toMatchObject({ code, stdout: '' })
  expect(result.stderr).toMatch(/^error: /m)
  expect(result.stderr).toMatch(/^ *try: /m)
  expect(result.stderr).not.toMatch(/\n\s+at .*:\d+:\d+/)
}

verifies('fault.cluster-unknown', async () => {
  const target = file('unknown.kubeconfig')
  const result = await proxy(['-n', 'no-such-cluster', '--port', '0', '-f', target])
  expectClearError(result, 3)
  expect(result.stderr).toContain('no-such-cluster')
  expect(existsSync(target)).toBe(false)
})

verifies('fault.token-wrong', async () => {
  const target = file('wrong-token.kubeconfig')
  const token = file('wrong-token')
  writeFileSync(token, 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl', { mode: 0o600 })
  const result = await proxy(['--port', '0', '-f', target, '--token-file', token])
  expectClearError(result, 4)
  expect(result.stderr).not.toContain('c2lnbmF0dXJl')
  expect(existsSync(target)).toBe(false)
})

verifies(
  'fault.token-expired',
  async () => {
    await applyDirect({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'short', namespace: 'default' },
    })
    // The API server grants no token below ten minutes; the account that is gone makes it invalid at once.
    const token = file('expired-token')
    writeFileSync(
      token,
      await directOk(['create', 'token', 'short', '-n', 'default', '--duration=10m']),
      { mode: 0o600 },
    )
    const live = await startProxy(['--token-file', token])
    expect((await kubectl(live, ['auth', 'whoami'])).code).toBe(0)
    await directOk(['delete', 'serviceaccount', 'short', '-n', 'default'])
    await applyDirect({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'short', namespace: 'default' },
    })
    const target = file('expired-token.kubeconfig')
    const late = await proxyUntil(4, ['--port', '0', '-f', target, '--token-file', token])
    expectClearError(late, 4)
    await live.stop()
  },
  120_000,
)

/** The API server caches a good token for ten seconds; asks until the exit code is the expected one. */
async function proxyUntil(code: number, args: string[]): Promise<ProcessResult> {
  const { developer, clusterName, resourceGroup } = lab()
  for (let attempt = 0; ; attempt++) {
    const running = startAs(developer, [
      process.execPath,
      cliMain(),
      'proxy',
      '-n',
      clusterName,
      '-g',
      resourceGroup,
      ...args,
    ])
    const first = await Promise.race([
      running.ended,
      running.waitFor(/ready/i).then(
        () => undefined,
        () => running.ended,
      ),
    ])
    const result = first ?? (await running.stop('SIGINT'))
    if (result.code === code || attempt > 20) return result
  }
}

const cliMain = () => join(import.meta.dirname, '../../../../packages/cli/src/main.ts')

verifies('fault.port-taken', async () => {
  const { developer } = lab()
  const taken = startAs(developer, [
    process.execPath,
    '-e',
    'require("net").createServer().listen(47555, "127.0.0.1", () => console.log("listening"))',
  ])
  await taken.waitFor(/listening/)
  const target = file('taken.kubeconfig')
  const result = await proxy(['--port', '47555', '-f', target])
  expectClearError(result, 8)
  expect(result.stderr).toContain('47555')
  expect(existsSync(target)).toBe(false)
  await taken.stop()
})

verifies('fault.kubeconfig-read-only', async () => {
  const directory = file('read-only')
  mkdirSync(directory, { recursive: true })
  const target = join(directory, 'config')
  writeFileSync(target, 'apiVersion: v1\nkind: Config\n', { mode: 0o400 })
  // Root may write anything; an immutable file is read-only for it too.
  const immutable = (await runAs(lab().developer, ['chattr', '+i', target])).code === 0
  if (!immutable) chmodSync(directory, 0o500)
  try {
    const result = await proxy(['--port', '0', '-f', target])
    expectClearError(result, 1)
    expect(result.stderr).toContain(target)
    expect(readFileSync(target, 'utf8')).toBe('apiVersion: v1\nkind: Config\n')
  } finally {
    await runAs(lab().developer, ['chattr', '-i', target])
    chmodSync(directory, 0o700)
  }
})

verifies('fault.kubeconfig-broken', async () => {
  const target = file('broken.kubeconfig')
  for (const text of [
    'apiVersion: v1\nclusters: [unclosed\n',
    'just a sentence',
    '- a\n- list\n',
    'clusters: 7\n',
    '\u0000\u0001',
  ]) {
    writeFileSync(target, text, { mode: 0o600 })
    const result = await proxy(['--port', '0', '-f', target])
    expectClearError(result, 1)
    expect(result.stderr).toContain(target)
    expect(readFileSync(target, 'utf8')).toBe(text)
  }
})

verifies('fault.impersonation', async () => {
  const through = await startProxy()
  for (const args of [
    ['--as', 'system:admin'],
    ['--as', 'x', '--as-group', 'system:masters'],
    ['--as', 'x', '--as-uid', '1'],
  ]) {
    const marker = `imp-${args.length}-${args[1]?.length ?? 0}`
    const result = await kubectl(through, ['get', 'configmaps', '-n', marker, ...args])
    expect(result.code).not.toBe(0)
    expect(result.stderr).toContain('--as')
    expect(readFileSync(cluster().auditLog, 'utf8')).not.toContain(`namespaces/${marker}/`)
  }
  await through.stop()
})
