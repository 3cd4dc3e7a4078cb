import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const source = fileURLToPath(new URL('../../src', import.meta.url))
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)
/** Source without comments. */
const read = (name: string): string =>
  readFileSync(join(source, name), 'utf8').replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '')
const naming = (pattern: RegExp): string[] =>
  files.filter((name) => pattern.test(read(name))).sort()

test('T-IMP-6 only the guard names an Impersonate header to be sent', () => {
  expect(naming(/['"`]impersonate-(?!')/i)).toEqual(['guard/impersonation-headers.ts'])
  // Who may call it, and who checks the bytes afterwards.
  expect(naming(/impersonationHeaders\(/)).toEqual([
    'guard/impersonation-headers.ts',
    'upstream/impersonating-client.ts',
  ])
})

test('T-IMP-6 the agent’s own credential has no users but the impersonating client and the agent’s own calls', () => {
  expect(naming(/credential\.authorization\(\)/)).toEqual([
    'upstream/agent-call.ts',
    'upstream/agent-calls.ts',
    'upstream/impersonating-client.ts',
  ])
  expect(naming(/(?:read|watch)AsAgent\(/)).toEqual([
    'materialise/rbac-watch.ts',
    'upstream/agent-call.ts',
    'upstream/binding-watch.ts',
    'upstream/cluster-report.ts',
  ])
  expect(naming(/new AgentCalls\(/)).toEqual(['materialise/materialiser.ts'])
})

test('gates: no URL made of a request, no lenient parser, no switched-off verification, no redirect', () => {
  expect(naming(/new URL\(req/)).toEqual([])
  expect(naming(/insecureHTTPParser: true|rejectUnauthorized: false|maxRedirections/)).toEqual([])
  expect(naming(/console\.|\beval\(|child_process/)).toEqual([])
})

test('T-UPG-3 no request line is written by hand', () => {
  expect(naming(/write\([^)]*HTTP\/1\.1/)).toEqual([])
})
