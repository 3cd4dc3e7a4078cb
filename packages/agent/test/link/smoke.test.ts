import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Recorder } from '../rig/recorder.ts'
import { addressOf, makeRig, oid, sid, type Rig } from '../rig/rig.ts'

let recorder: Recorder
let rig: Rig

beforeAll(async () => {
  recorder = await Recorder.start()
  rig = makeRig({ address: addressOf(recorder.port, recorder.certificate), groups: ['b', 'a'] })
})
beforeEach(() => {
  recorder.reset()
})
afterAll(async () => {
  rig.close()
  await recorder.close()
})

test('a request arrives with the identity, the agent token and nothing else of ours', async () => {
  const end = rig.open()
  end.write(
    'GET /api/v1/pods?limit=500 HTTP/1.1\r\nHost: 127.0.0.1:47011\r\nAccept: application/json\r\nUser-Agent: kubectl/v1.32.4\r\nAccept-Encoding: gzip\r\n\r\n',
  )
  const answer = await end.answer()
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(recorder.bytes).toBe(
    `GET /api/v1/pods?limit=500 HTTP/1.1\r\nhost: 127.0.0.1:${recorder.port}\r\nconnection: keep-alive\r\n` +
      'Accept: application/json\r\nUser-Agent: kubectl/v1.32.4\r\nAccept-Encoding: gzip\r\n' +
      `Audit-ID: ${sid}.1\r\nAuthorization: Bearer agent-own-token\r\nImpersonate-User: ${oid}\r\n` +
      `Impersonate-Group: a\r\nImpersonate-Group: b\r\nImpersonate-Extra-sallyport.dev%2Fsid: ${sid}\r\n\r\n`,
  )
})
