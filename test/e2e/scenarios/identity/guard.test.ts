/**
 * The catalogue of bad inputs against the real API server: what is refused never reaches it, what arrives is exactly one identity.
 * @module
 */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect } from 'vitest'
import { runAs } from '../../src/actors.ts'
import { auditEvents } from '../../src/audit-log.ts'
import type { GuardNames } from '../../src/guard-names-main.ts'
import { eventually } from '../../src/process.ts'
import { cluster, lab, startProxy, type Proxy } from '../../src/proxied.ts'
import { sendRaw, statusOf } from '../../src/raw-http.ts'
import { verifies } from '../../src/verifies.ts'

let proxy: Proxy
beforeAll(async () => {
  proxy = await startProxy()
})
afterAll(async () => {
  await proxy.stop()
})

const request = (target: string, lines = '', method = 'GET'): string =>
  `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines}\r\n`

/** Header lines the agent answers itself, with the statuses it may answer. */
const refused: [string, string, number[]][] = [
  ['X001', 'Impersonate-User: root\r\n', [403]],
  ['X002', 'impersonate-GROUP: system:masters\r\n', [403]],
  ['X002', 'Impersonate_Group: system:masters\r\n', [403]],
  ['X002', 'Impersonate-Group : system:masters\r\n', [400]],
  ['X003', 'Impersonate-Extra-scopes: a\r\n', [403]],
  ['X003', 'Impersonate-Uid: 1\r\n', [403]],
  ['X004', 'Connection: Impersonate-User\r\n', [400]],
  ['X004', 'Connection: close, impersonate-user\r\n', [400]],
  ['X005', 'Connection: Authorization\r\n', [400]],
  ['X009', 'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n', [400]],
  ['X011', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', [400]],
  ['X011', 'Content-Length: +4\r\n', [400]],
  ['X012', 'Transfer-Encoding: xchunked\r\n', [400]],
  ['X015', 'Expect: 200-ok\r\n', [417]],
  ['X016', 'X-A: b\r\n c\r\n', [400]],
  ['X017', 'Host: evil\r\n', [400]],
  ['X018', 'X-A: b\r\n'.repeat(201), [431]],
  ['X123', 'Connection: Upgrade\r\nUpgrade: h2c\r\n', [400]],
  ['X123', 'Connection: Upgrade\r\nUpgrade: websocket, SPDY/3.1\r\n', [400]],
]

/** Header lines that change nothing. */
const dropped: [string, string][] = [
  ['X006', 'Trailer: Impersonate-Group\r\n'],
  ['X007', 'X-Remote-User: root\r\nX-Remote-Group: system:masters\r\n'],
  ['X008', 'X-Forwarded-For: 1.2.3.4\r\nX-HTTP-Method-Override: DELETE\r\n'],
  ['X009', 'Authorization: Basic eDp5\r\n'],
  ['X010', 'Cookie: a=b\r\nProxy-Authorization: Basic eDp5\r\n'],
  ['X017', ''],
]

verifies('guard.http', async () => {
  const never = '/api/v1/namespaces/guard-refused/configmaps'
  const refusals = await sendRaw(
    proxy,
    refused.map(([, lines]) => request(never, lines)),
  )
  for (const [index, answer] of refusals.entries()) {
    const [id, lines, statuses] = refused[index] ?? ['', '', []]
    expect(statuses, `${id} ${JSON.stringify(lines.slice(0, 80))}`).toContain(statusOf(answer))
  }
  const arrived = (index: number): string => `/api/v1/namespaces/guard-${index}/configmaps`
  const answers = await sendRaw(
    proxy,
    dropped.map(([, lines], index) => request(arrived(index), lines)),
  )
  for (const [index, [id]] of dropped.entries()) {
    const answer = answers[index] ?? ''
    // Its own 403 for this principal, not one about another.
    expect(answer, id).toContain(`User \\"${lab().hub.objectId}\\" cannot list resource`)
    const events = await eventually(() => {
      const found = auditEvents(arrived(index))
      return Promise.resolve(found.length > 0 ? found : undefined)
    }, `${id} is in the audit log`)
    for (const event of events)
      expect(event.impersonatedUser).toMatchObject({
        username: lab().hub.objectId,
        groups: ['system:authenticated'],
      })
  }
  // The later ones are in the log, so that earlier ones would be too.
  expect(auditEvents('guard-refused')).toEqual([])
})

verifies('guard.path', async () => {
  const bad = [
    ...[
      '/api/guard-bad/../x',
      '/api/guard-bad/%2e%2e/x',
      '/api/guard-bad/%252e%252e/x',
      '/api/guard-bad//x',
    ],
    ...[
      '/api/guard-bad%2fx',
      '/api/guard-bad%5cx',
      '/api/guard-bad\\x',
      '/api/guard-bad%00',
      '/api/guard-bad;x',
    ],
    ...[
      '/api/guard-bad#x',
      '/api/guard-bad\u00e4',
      '/api/guard-bad%',
      'http://guard-bad/x',
      '//guard-bad/',
    ],
    `/api/guard-bad${'a'.repeat(8192)}`,
  ]
  const answers = await sendRaw(
    proxy,
    bad.map((target) => request(target)),
  )
  expect(answers.map(statusOf)).toEqual(bad.map(() => 400))
  const good = [
    '/api/v1/namespaces/guard-good/configmaps?watch=false&watch=0&limit=1',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/guard-good%3Aname',
    '/api/v1/namespaces/guard-good/pods/x/pr%6fxy/y',
  ]
  await sendRaw(
    proxy,
    good.map((target) => request(target)),
  )
  for (const target of good)
    await eventually(
      () =>
        Promise.resolve(
          auditEvents('guard-good').some(({ requestURI }) => requestURI === target)
            ? true
            : undefined,
        ),
      `${target} arrives as it was sent`,
    )
  expect(auditEvents('guard-bad')).toEqual([])
})

const oid = '8d1c6f0e-2a5b-4c1d-9e6f-0a1b2c3d4e5f'
const sid = '11111111-2222-4333-8444-555555555555'
const refusedNames: unknown[] = [
  ...[
    'system:masters',
    ' system:masters',
    '\u00a0system:masters',
    '\ufeffsystem:masters',
    'SYSTEM:MASTERS',
  ],
  ...[
    'ſystem:masters',
    'ѕуѕtem:masters',
    'sys\u200dtem:masters',
    '\u202esretsam',
    'system:nodes',
    'a,b',
    '',
  ],
  ...[
    'a\r\nImpersonate-Group: system:masters',
    'alias:masters',
    'kubeadm:cluster-admins',
    7,
    null,
    ['a'],
  ],
]
const acceptedLists = [
  [],
  ['developers', 'Łukasz', 'José', '李雷', '😀', 'two words'],
  ['a;b', 'a|b', '"a"', 'a\\b', '%2C', '%0d%0a', 'A', 'a'],
  Array.from({ length: 500 }, (_, index) => `${index}`.padStart(90, 'g')),
]

verifies('guard.names', async () => {
  const input: GuardNames = {
    kubeconfig: cluster().kubeconfig,
    oid,
    sid,
    lists: [...refusedNames.map((name) => [name]), ...acceptedLists],
  }
  const program = fileURLToPath(new URL('../../src/guard-names-main.ts', import.meta.url))
  const { code, stdout, stderr } = await runAs(lab().operator, [process.execPath, program], {
    input: JSON.stringify(input),
  })
  expect(code, stderr).toBe(0)
  const verdicts = JSON.parse(stdout) as unknown[]
  expect(verdicts.slice(0, refusedNames.length)).toEqual(
    refusedNames.map(() => 'ERR_GUARD_IDENTITY'),
  )
  for (const [index, groups] of acceptedLists.entries())
    expect(verdicts[refusedNames.length + index]).toEqual({
      username: oid,
      groups: [...groups.sort(), 'system:authenticated'],
      extra: { 'sallyport.dev/sid': [sid] },
    })
})
