import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { guard } from '../../src/guard/guard.ts'
import { createClusterTokenVerifier } from '../../src/link/cluster-token.ts'
import { senderOf } from '../../src/link/sender.ts'
import { SessionRegistry } from '../../src/link/session-registry.ts'
import { AgentCredential } from '../../src/upstream/credential.ts'
import { HeadGuard } from '../../src/upstream/head-guard.ts'
import { openAdmission } from '../rig/admission.ts'
import { claims, hash, issuer, makeHubKey, signToken, thumbprint } from '../rig/hub-key.ts'
import { exchange, requestLine, status } from '../rig/exchange.ts'
import { nothingNamed } from '../rig/named.ts'
import { Recorder } from '../rig/recorder.ts'
import { addressOf, makeRig, oid, sid } from '../rig/rig.ts'

let recorder: Recorder
const key = makeHubKey()
const verify = async (token: string): Promise<unknown> =>
  (await createClusterTokenVerifier({ issuer, clusterHash: hash, keys: [key.pinned] })).verify(
    token,
  )

beforeAll(async () => {
  recorder = await Recorder.start()
})
beforeEach(() => {
  recorder.reset()
})
afterAll(async () => {
  await recorder.close()
})

describe('what claims can say', () => {
  test('X042 decided otherwise by design: there is no prefix, so alias:system:masters is refused like any other look-alike', () => {
    expect(() => guard({ oid, sid, groups: ['alias:system:masters'] })).toThrow()
  })

  test.each([
    { email: 'a@example.com', email_verified: 'false' },
    { email: 'a@example.com', email_verified: 0 },
    { upn: 'root@example.com' },
    { preferred_username: 'root' },
  ])(
    'X048 decided otherwise by design: an e-mail is never the user, a token with %o is refused whole',
    async (change) => {
      await expect(verify(signToken(key, claims(change)))).rejects.toMatchObject({
        code: 'ERR_BIND_REFUSED',
      })
    },
  )

  test('X049 the same subject of another issuer is nobody here; names are object ids, one for each account of an issuer', async () => {
    const other = signToken(key, claims({ iss: `${issuer}-other` }))
    await expect(verify(other)).rejects.toMatchObject({ code: 'ERR_BIND_REFUSED' })
  })

  test('X050 a principal made again under the same name has another object id, and that is all that is sent', () => {
    const again = 'aaaaaaaa-2a5b-4c1d-9e6f-0a1b2c3d4e5f'
    expect(guard({ oid: again, sid }).user).not.toBe(guard({ oid, sid }).user)
    expect(guard({ oid, sid, sub: 'alice', name: 'alice' } as object)).toEqual(guard({ oid, sid }))
  })

  test.each([
    { extra: { 'Scopes%': ['a'] } },
    { extra: { 'ключ/x': ['a'] } },
    { 'sallyport.dev/sid': 'x' },
    { scopes: ['a'] },
  ])(
    'X051 decided otherwise by design: claims choose no extra keys, %o is refused; there is one of ours',
    async (change) => {
      await expect(verify(signToken(key, claims(change)))).rejects.toMatchObject({
        code: 'ERR_BIND_REFUSED',
      })
      expect(Object.keys(guard({ oid, sid, ...change }))).toEqual(['user', 'groups', 'sessionId'])
    },
  )

  test.each(['Groups', 'GROUPS', 'OID', 'Oid', 'Sid', 'groups\u0000'])(
    'T-IMP-11 the claim %j is no spelling of another',
    async (name) => {
      await expect(verify(signToken(key, claims({ [name]: ['x'] })))).rejects.toMatchObject({
        code: 'ERR_BIND_REFUSED',
      })
      expect(guard({ oid, sid, [name]: ['x'] })).toEqual(guard({ oid, sid }))
    },
  )
})

test('T-IMP-7 the order is token, key, guard, and only then anything else', async () => {
  const heads = new HeadGuard({ violation: () => undefined })
  const target = {
    address: addressOf(recorder.port, recorder.certificate),
    credential: new AgentCredential({ token: 'agent-own-token' }),
  }
  const order: string[] = []
  const verifier = await createClusterTokenVerifier({
    issuer,
    clusterHash: hash,
    keys: [key.pinned],
  })
  const sessions = new SessionRegistry({
    admission: openAdmission,
    verifier: {
      verify: (token) => {
        order.push('token')
        return verifier.verify(token)
      },
      keyIdOf: (token) => verifier.keyIdOf(token),
    },
    senderOf: (accepted) => {
      order.push('guard')
      const askGroups = () => Promise.reject(new Error('nobody asks'))
      return senderOf({ claims: accepted, target, heads, askGroups, named: nothingNamed })
    },
    onStream: () => order.push('stream'),
    onEvent: (what) => order.push(what),
    onProblem: () => undefined,
  })
  const peer = { certificateThumbprint: thumbprint, dismiss: () => undefined }
  const bind = (change: object, from = peer) =>
    sessions.bind({ v: 1, token: signToken(key, claims(change)), client: 'x' }, from)
  await expect(bind({ groups: ['system:masters'] })).rejects.toMatchObject({
    code: 'ERR_GUARD_IDENTITY',
  })
  expect(order).toEqual(['token', 'guard'])
  await expect(bind({}, { ...peer, certificateThumbprint: 'x' })).rejects.toThrow()
  expect(order).toEqual(['token', 'guard', 'token'])
  await bind({})
  expect(order).toEqual(['token', 'guard', 'token', 'token', 'guard', 'started'])
  sessions.close()
  expect(recorder.connections).toHaveLength(0)
})

test.each([';', '|', '"', '%2C', '%0d%0a', '\\', ':', '=', "'", '/', '&'])(
  'X038 T-IMP-9 a group with %j arrives as one identical group',
  async (separator) => {
    const group = `deploy${separator}root`
    const rig = makeRig({
      address: addressOf(recorder.port, recorder.certificate),
      groups: [group],
    })
    expect(status(await exchange(rig, `${requestLine()}\r\n`))).toBe(200)
    expect(recorder.bytes.match(/Impersonate-Group: .*\r/g)).toEqual([
      `Impersonate-Group: ${group}\r`,
    ])
    rig.close()
  },
)

test.each([
  '/healthz',
  '/nonexistent',
  '/metrics',
  '/openapi/v3',
  '/api/v1/watch/pods',
  '//',
  '/api/../x',
])(
  'T-IMP-13 on %s too no identity header of a client survives; the names are fixed, no setting renames them',
  async (target) => {
    recorder.answer = () => 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'
    for (const mode of ['impersonating', 'pass-through'] as const) {
      const rig = makeRig({ address: addressOf(recorder.port, recorder.certificate), mode })
      const answer = await exchange(
        rig,
        `${requestLine('GET', target)}Authorization: Bearer t\r\nimpersonate-user: root\r\n\r\n`,
      )
      expect([400, 403]).toContain(status(answer))
      expect(recorder.heads).toBe(0)
      await exchange(
        rig,
        `${requestLine('GET', '/healthz')}Authorization: Bearer t\r\nX-Remote-User: root\r\n\r\n`,
      )
      expect(recorder.bytes).not.toMatch(/x-remote|root/i)
      rig.close()
      recorder.reset()
    }
  },
)
