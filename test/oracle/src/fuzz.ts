/**
 * Runs inputs through the real guard, clients and HTTP server of the agent against the oracle.
 * @module
 */
import { duplexPair, type Duplex } from 'node:stream'
import { isSallyportError } from '@sallyport/protocol'
import { guard, type Identity } from '../../../packages/agent/src/guard/guard.ts'
import { KubernetesServer } from '../../../packages/agent/src/link/kubernetes-server.ts'
import type { StreamSession } from '../../../packages/agent/src/link/stream-session.ts'
import { AgentCredential } from '../../../packages/agent/src/upstream/credential.ts'
import { HeadGuard } from '../../../packages/agent/src/upstream/head-guard.ts'
import { ImpersonatingClient } from '../../../packages/agent/src/upstream/impersonating-client.ts'
import type { UpstreamTarget } from '../../../packages/agent/src/upstream/target.ts'
import { hostileClaims } from './claims.ts'
import { disagreement, type Meant, type Understood } from './judge.ts'
import { Random } from './random.ts'
import { hostileRequest } from './requests.ts'

/** What came of it. */
export interface Figures {
  count: number
  accepted: number
  refused: number
  /** Requests that never became whole: no answer is owed. */
  unfinished: number
  disagreements: string[]
  seconds: number
}

/** How long to go on: a number of inputs, or seconds. */
export interface FuzzOptions {
  port: number
  seed: number
  count?: number
  seconds?: number
  onProgress?: (figures: Figures) => void
}

const parallel = 12
const sessionCount = 32
const requestShare = 0.2
const unfinishedMs = 150
const reportedMax = 50

type Verdict = 'accepted' | 'refused' | 'unfinished' | { wrong: string }

function targetOf(port: number): UpstreamTarget {
  return {
    address: {
      // Without TLS: what is judged are the bytes inside it, and there are thousands of connections a second.
      origin: `http://127.0.0.1:${port}`,
      hostname: '127.0.0.1',
      port,
      pathPrefix: '',
      ca: undefined,
      serverName: undefined,
      verify: true,
    },
    credential: new AgentCredential({ token: 'agent-own-token' }),
  }
}

/** The agent as far as it takes part, and the sessions requests are tried in. */
export class FuzzedAgent {
  readonly heads: HeadGuard
  readonly violations: string[] = []
  readonly target: UpstreamTarget
  readonly server = new KubernetesServer()
  readonly sessions: { meant: Meant; session: StreamSession; client: ImpersonatingClient }[]

  constructor(port: number, random: Random) {
    this.heads = new HeadGuard({ violation: (text) => this.violations.push(text) })
    this.heads.start()
    this.target = targetOf(port)
    this.sessions = random.times(sessionCount, () => {
      const meant = {
        oid: random.guid(),
        groups: ['developers', random.guid()],
        sid: random.guid(),
      }
      const client = this.client(guard(meant))
      let requests = 0
      const session: StreamSession = {
        sessionId: meant.sid,
        client,
        nextRequestId: () => `${meant.sid}.${++requests}`,
        onProblem: () => undefined,
      }
      return { meant, session, client }
    })
  }

  client(identity: Identity): ImpersonatingClient {
    return new ImpersonatingClient({ target: this.target, identity, guard: this.heads })
  }

  close(): void {
    for (const { client } of this.sessions) client.destroy()
    this.server.close()
    this.heads.close()
  }
}

/** Status and body of one request of an identity. */
function send(client: ImpersonatingClient): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    let status = 0
    let body = ''
    client.send(
      {
        method: 'GET',
        target: '/api',
        headers: ['Audit-ID', 'x'],
        authorization: undefined,
        body: null,
        headersTimeoutMs: 10_000,
      },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_, code) => {
          status = code
        },
        onResponseData: (_, chunk) => {
          body += chunk.toString('utf8')
        },
        onResponseEnd: () => {
          resolve({ status, body })
        },
        onResponseError: (_, error) => {
          reject(error)
        },
      },
    )
  })
}

/** One identity through guard, header writer, head check and Go. */
export async function tryIdentity(agent: FuzzedAgent, meant: Meant): Promise<Verdict> {
  let identity: Identity
  try {
    identity = guard(meant)
  } catch (error) {
    if (isSallyportError(error) && error.code === 'ERR_GUARD_IDENTITY') return 'refused'
    return { wrong: `the guard threw ${String(error)}` }
  }
  return trySending(agent, identity, meant)
}

/** An identity that is already made, also one the guard would not have made. */
export async function trySending(
  agent: FuzzedAgent,
  identity: Identity,
  meant: Meant,
): Promise<Verdict> {
  const client = agent.client(identity)
  try {
    const { status, body } = await send(client)
    if (status !== 200) return { wrong: `Go answered ${status}` }
    const wrong = disagreement(meant, JSON.parse(body) as Understood)
    return wrong === undefined ? 'accepted' : { wrong }
  } catch (error) {
    return { wrong: `sending failed: ${String(error)}` }
  } finally {
    client.destroy()
  }
}

/** Everything that comes back until the first answer is whole, the connection ends, or nothing more is owed. */
function answerOf(stream: Duplex): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const done = (): void => {
      clearTimeout(timer)
      resolve(received)
    }
    const timer = setTimeout(done, unfinishedMs)
    stream.setEncoding('latin1')
    stream.on('data', (text: string) => {
      received += text
      const end = received.indexOf('\r\n\r\n')
      const length = /\r\ncontent-length: (\d+)/i.exec(received)?.[1]
      if (end !== -1 && length !== undefined && received.length >= end + 4 + Number(length)) done()
    })
    stream.on('end', done)
    stream.on('close', done)
    stream.on('error', () => undefined)
  })
}

/** One raw request through the agent's HTTP server and Go. */
async function tryRequest(agent: FuzzedAgent, bytes: string, index: number): Promise<Verdict> {
  const chosen = agent.sessions[index % agent.sessions.length]
  if (chosen === undefined) throw new TypeError('there are no sessions')
  const [local, remote] = duplexPair()
  agent.server.accept(remote, chosen.session)
  const answered = answerOf(local)
  local.write(Buffer.from(bytes, 'latin1'))
  const text = await answered
  local.destroy()
  remote.destroy()
  const status = /^HTTP\/1\.1 (\d{3})/.exec(
    text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ''),
  )?.[1]
  if (status === undefined) return 'unfinished'
  const bodies = text.match(/\{"user":.*\}/g) ?? []
  for (const body of bodies) {
    const wrong = disagreement(chosen.meant, JSON.parse(body) as Understood)
    if (wrong !== undefined) return { wrong }
  }
  if (status === '200')
    return bodies.length > 0 ? 'accepted' : { wrong: 'a 200 without an identity' }
  // Go's server refuses in plain text, the filter behind it with the header of the oracle.
  return /\r\n(?:x-oracle:|content-type: text\/plain)/i.test(text)
    ? { wrong: `Go refused what the agent let through: ${status}` }
    : 'refused'
}

/** Runs inputs until the count or the time is reached. */
export async function fuzz(options: FuzzOptions): Promise<Figures> {
  const random = new Random(options.seed)
  const agent = new FuzzedAgent(options.port, random)
  const startedAt = performance.now()
  const figures: Figures = {
    count: 0,
    accepted: 0,
    refused: 0,
    unfinished: 0,
    disagreements: [],
    seconds: 0,
  }
  const elapsed = (): number => (performance.now() - startedAt) / 1000
  const isOver = (): boolean =>
    figures.count >= (options.count ?? Number.POSITIVE_INFINITY) ||
    elapsed() >= (options.seconds ?? Number.POSITIVE_INFINITY) ||
    figures.disagreements.length >= reportedMax
  const one = async (): Promise<void> => {
    const index = figures.count++
    if (random.chance(requestShare)) {
      const bytes = hostileRequest(random)
      take(figures, await tryRequest(agent, bytes, index), bytes)
    } else {
      const claims = hostileClaims(random)
      take(figures, await tryIdentity(agent, claims), claims)
    }
    if (figures.count % 50_000 === 0) options.onProgress?.({ ...figures, seconds: elapsed() })
  }
  const worker = async (): Promise<void> => {
    while (!isOver()) await one()
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  agent.close()
  for (const violation of agent.violations) figures.disagreements.push(violation)
  return { ...figures, seconds: elapsed() }
}

function take(figures: Figures, verdict: Verdict, input: unknown): void {
  if (typeof verdict === 'string') figures[verdict]++
  else figures.disagreements.push(`${verdict.wrong} for ${describe(input)}`)
}

function describe(input: unknown): string {
  return typeof input === 'string'
    ? JSON.stringify(input)
    : JSON.stringify(input, (_, value: unknown) =>
        typeof value === 'bigint' ? `${value}n` : value,
      )
}
