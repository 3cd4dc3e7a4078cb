import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { guard } from '../../src/guard/guard.ts'
import { impersonationHeaders } from '../../src/guard/impersonation-headers.ts'
import { createPool, sendUpgrade, type UpstreamRequest } from '../../src/upstream/client.ts'
import { AgentCredential } from '../../src/upstream/credential.ts'
import {
  HeadGuard,
  impersonatingRule,
  obeys,
  type HeadRule,
} from '../../src/upstream/head-guard.ts'
import { ImpersonatingClient } from '../../src/upstream/impersonating-client.ts'
import { Recorder } from '../rig/recorder.ts'
import { addressOf, oid, sid } from '../rig/rig.ts'

const identity = guard({ oid, sid, groups: ['a'] })
const headers = impersonationHeaders(identity)
const rule = impersonatingRule(headers)
const lines = (pairs: readonly string[]): string =>
  pairs.reduce((text, part, at) => text + part + (at % 2 === 0 ? ': ' : '\r\n'), '')
const head = (identityLines: string): string => `GET / HTTP/1.1\r\nhost: x\r\n${identityLines}\r\n`

let recorder: Recorder
beforeAll(async () => {
  recorder = await Recorder.start()
})
beforeEach(() => {
  recorder.reset()
})
afterAll(async () => {
  await recorder.close()
})

describe('what a head must carry', () => {
  test('exactly the identity block', () => {
    expect(obeys(head(lines(headers)), rule)).toBe(true)
    expect(obeys(head(`${lines(headers)}content-length: 3\r\n`), rule)).toBe(true)
  })

  test.each([
    ['nothing', ''],
    ['another user', lines(headers).replace(oid, sid)],
    ['an empty user', lines(headers).replace(oid, '')],
    ['a second user', `${lines(headers)}impersonate-user: root\r\n`],
    ['a second group', `Impersonate-Group: system:masters\r\n${lines(headers)}`],
    ['an alias', `${lines(headers)}Impersonate_User: root\r\n`],
    ['a missing group', lines(headers).replace('Impersonate-Group: a\r\n', '')],
    ['the block in another order', lines([...headers.slice(2), ...headers.slice(0, 2)])],
  ])('%s is a violation', (_, identityLines) => {
    expect(obeys(head(identityLines), rule)).toBe(false)
  })

  test('a connection without credential carries no identity line', () => {
    expect(obeys(head(''), { kind: 'pass-through' })).toBe(true)
    expect(obeys(head('X-A: b\r\nimpersonate-uid: x\r\n'), { kind: 'pass-through' })).toBe(false)
  })

  test('a rule without a user obeys nothing', () => {
    const empty: HeadRule = { kind: 'impersonating', block: '\r\n', lines: 0 }
    expect(obeys(head(''), empty)).toBe(false)
  })
})

describe('a violation stops the head before its first byte', () => {
  const request = (): UpstreamRequest => ({
    method: 'GET',
    target: '/api',
    headers: ['Connection', 'Upgrade', 'Upgrade', 'SPDY/3.1'],
    authorization: undefined,
    body: null,
    headersTimeoutMs: 1000,
  })

  test('T-IMP-6 on a pool', async () => {
    const violations: string[] = []
    const heads = new HeadGuard({ violation: (text) => violations.push(text) })
    heads.start()
    const address = addressOf(recorder.port, recorder.certificate)
    const pool = createPool({ address, tls: { ca: recorder.certificate }, guard: heads, rule })
    await new Promise<void>((resolve) => {
      pool.dispatch(
        { method: 'GET', path: '/api', headers: ['Authorization', 'Bearer agent'] },
        {
          onRequestStart: () => undefined,
          onResponseStart: () => undefined,
          onResponseData: () => undefined,
          onResponseEnd: () => undefined,
          onResponseError: () => {
            resolve()
          },
        },
      )
    })
    expect(violations).toHaveLength(1)
    expect(recorder.bytes).toBe('')
    await pool.destroy()
    heads.close()
  })

  test('T-IMP-6 on an upgrade', async () => {
    const violations: string[] = []
    const heads = new HeadGuard({ violation: (text) => violations.push(text) })
    const address = addressOf(recorder.port, recorder.certificate)
    const tls = { ca: recorder.certificate }
    const sent = sendUpgrade({ address, tls, guard: heads, rule, request: request() })
    await once(sent, 'error')
    expect(violations).toHaveLength(1)
    expect(recorder.bytes).toBe('')
  })

  test('a client without an identity cannot be made', () => {
    const heads = new HeadGuard({ violation: () => undefined })
    const target = {
      address: addressOf(recorder.port, recorder.certificate),
      credential: new AgentCredential({ token: 't' }),
    }
    for (const user of ['', ' ', undefined])
      expect(
        () =>
          new ImpersonatingClient({
            target,
            identity: { ...identity, user: user as string },
            guard: heads,
          }),
      ).toThrow(/no identity/)
  })
})
