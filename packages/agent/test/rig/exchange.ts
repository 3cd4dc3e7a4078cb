/**
 * One raw request and its answer.
 * @module
 */
import { expect } from 'vitest'
import type { Recorder } from './recorder.ts'
import type { Rig } from './rig.ts'

/** Request line and Host header. */
export function requestLine(method = 'GET', target = '/api/v1/pods'): string {
  return `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1:47011\r\n`
}

/** Sends raw bytes on a new stream; the whole answer. */
export async function exchange(rig: Rig, bytes: string): Promise<string> {
  const end = rig.open()
  end.write(bytes)
  const answer = await end.answer()
  end.stream.destroy()
  return answer
}

/** Status code of an answer. */
export function status(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])
}

/** No request reached the API server, and the refusal is a Status object. */
export function expectRefused(recorder: Recorder, answer: string, code: number): void {
  expect(status(answer)).toBe(code)
  const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>
  expect(body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code })
  expect(recorder.heads).toBe(0)
}
