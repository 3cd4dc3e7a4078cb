/**
 * A whole hub in this process: own data directory, any free port, captured output, stopped by `stop()`.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { connect, type TLSSocket } from 'node:tls'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { runHub, runRelay } from '../src/main.ts'

/** Makes a directory that is removed by the returned function. */
export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'hub-test-'))
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/** Output of a program, and a way to wait for a text in it. */
export interface Capture {
  stream: PassThrough
  text: () => string
  waitFor: (pattern: RegExp, signal?: AbortSignal) => Promise<RegExpExecArray>
}

/** Collects what is written; `waitFor` resolves on the first match. */
export function capture(): Capture {
  const stream = new PassThrough()
  let text = ''
  const waiting = new Set<() => void>()
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    for (const look of waiting) look()
  })
  return {
    stream,
    text: () => text,
    waitFor: (pattern, signal) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(text)
          if (found === null) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        signal?.addEventListener('abort', () => {
          reject(new Error(`ended without ${pattern.source}: ${text}`))
        })
        look()
      }),
  }
}

/** A program under test. */
export interface RunningProgram {
  url: string
  stdout: Capture
  stderr: Capture
  /** Exit code. */
  ended: Promise<number>
  stop: () => Promise<number>
}

/** Starts the hub or the relay and waits until it is ready. */
export async function startProgram(
  program: 'hub' | 'relay',
  argv: string[],
): Promise<RunningProgram> {
  const run = program === 'hub' ? runHub : runRelay
  const stdout = capture()
  const stderr = capture()
  const abort = new AbortController()
  const ended = run({
    argv,
    env: {},
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: abort.signal,
  })
  const failed = new AbortController()
  void ended.then(() => {
    failed.abort()
  })
  const ready = await stdout
    .waitFor(/(?:hub|relay) ready at (https:\S+)\n/, failed.signal)
    .catch((error: unknown) => {
      throw new Error(`not ready: ${stderr.text()}`, { cause: error })
    })
  return {
    url: ready[1] ?? '',
    stdout,
    stderr,
    ended,
    stop: () => {
      abort.abort()
      return ended
    },
  }
}

/** Runs a program that is expected to end by itself. */
export async function runToEnd(
  program: 'hub' | 'relay',
  argv: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const run = program === 'hub' ? runHub : runRelay
  const stdout = capture()
  const stderr = capture()
  const { signal } = new AbortController()
  const code = await run({ argv, env, stdout: stdout.stream, stderr: stderr.stream, signal })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

/** An HTTP answer. */
export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  json: () => Record<string, unknown>
}

/** Calls the hub over TLS, trusting only the CA in its data directory. */
export function call(
  url: string,
  options: {
    ca: string
    method?: string
    headers?: Record<string, string>
    body?: string
    agent?: HttpsAgent
  },
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const outgoing = httpsRequest(
    url,
    {
      method: options.method ?? 'GET',
      headers: options.headers ?? {},
      ca: options.ca,
      agent: options.agent ?? new HttpsAgent({ keepAlive: false }),
    },
    (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => (text += chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        })
      })
    },
  )
  outgoing.on('error', reject)
  outgoing.end(options.body)
  return promise
}

/** Posts a form. */
export function postForm(url: string, ca: string, form: Record<string, string>): Promise<Answer> {
  return call(url, {
    ca,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  })
}

/** What the administrator file holds. */
export interface AdministratorFile {
  hub: string
  fingerprint: string
  tenantId: string
  subscriptionId: string
  objectId: string
  clientId: string
  clientSecret: string
}

/** Opens a TLS connection; `closed` is all that came, once it is closed. */
export function rawConnection(
  url: string,
  ca: string,
  alpn: string[] = [],
): Promise<{ socket: TLSSocket; closed: Promise<string> }> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ca, ALPNProtocols: alpn }, () => {
      let text = ''
      const closed = new Promise<string>((done) => {
        socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
        socket.on('error', () => undefined)
        socket.on('close', () => {
          done(text)
        })
      })
      resolve({ socket, closed })
    })
    socket.once('error', reject)
  })
}

/** Where a hub under test keeps its things, and the flags that say so. */
export interface HubHome {
  data: string
  administratorFile: string
  flags: (...more: string[]) => string[]
  /** CA certificate, once the hub has run. */
  ca: () => string
  administrator: () => AdministratorFile
  remove: () => void
}

/** Makes a home for one hub. */
export function hubHome(): HubHome {
  const { path, remove } = temporaryDirectory()
  const data = join(path, 'data')
  const administratorFile = join(path, 'administrator.json')
  const listen = ['--listen', '127.0.0.1:0']
  return {
    data,
    administratorFile,
    flags: (...more) => [
      '--data-directory',
      data,
      ...(more.includes('--listen') ? [] : listen),
      '--administrator-file',
      administratorFile,
      ...more,
    ],
    ca: () => readFileSync(join(data, 'ca.crt'), 'utf8'),
    administrator: () => JSON.parse(readFileSync(administratorFile, 'utf8')) as AdministratorFile,
    remove,
  }
}
