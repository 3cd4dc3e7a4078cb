/**
 * A real control plane, the agent's service account with exactly the rights of deploy/agent-rights.yaml, and questions to both.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { startCluster, type Cluster } from '@sallyport/cluster'
import {
  rbacKinds,
  rbacListPath,
  rbacOwner,
  type AgentAssignment,
  type AgentAssignments,
  type AgentRole,
  type RbacMetadata,
} from '@sallyport/protocol'
import { pino } from 'pino'
import { Materialiser } from '../../src/materialise/materialiser.ts'
import { AgentCalls, type AgentAnswer } from '../../src/upstream/agent-calls.ts'
import { AgentCredential } from '../../src/upstream/credential.ts'
import { loadUpstream } from '../../src/upstream/load-upstream.ts'
import type { UpstreamTarget } from '../../src/upstream/target.ts'
import type { ApiRequest } from './fixture/published-roles.ts'

const rights = fileURLToPath(new URL('../../../../deploy/agent-rights.yaml', import.meta.url))
export const clusterHash = '0123456789abcdef'.repeat(4)
export const mark = clusterHash.slice(0, 16)

/** Line of the log of a materialiser. */
export type LogLine = Record<string, unknown> & { event: string }

/** An object as it was listed. */
export interface Listed {
  metadata: RbacMetadata
  rules?: unknown
  roleRef?: { name: string }
  subjects?: { kind: string; name: string }[]
}

/** Events of a log, and a wait for the next of a kind. */
export class LogReader {
  readonly lines: LogLine[] = []
  readonly #waiting = new Set<() => void>()
  readonly stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      for (const line of chunk.toString().trim().split('\n'))
        this.lines.push(JSON.parse(line) as LogLine)
      for (const look of this.#waiting) look()
      done()
    },
  })

  count(event: string): number {
    return this.lines.filter((line) => line.event === event).length
  }

  /** Resolves when there are `count` lines with the event. */
  until(event: string, count = 1): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.count(event) < count) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }
}

/** The cluster under test, as its administrator and as the agent. */
export class ClusterRig {
  readonly cluster: Cluster
  readonly admin: AgentCalls
  readonly target: UpstreamTarget

  constructor(cluster: Cluster) {
    this.cluster = cluster
    const address = loadUpstream(cluster.kubeconfig)
    this.admin = new AgentCalls(address, 16)
    this.kubectl(['apply', '-f', rights])
    const token = this.kubectl(['create', 'token', 'agent', '-n', 'sallyport']).trim()
    this.target = { address: address.address, credential: new AgentCredential({ token }) }
  }

  static async start(): Promise<ClusterRig> {
    return new ClusterRig(await startCluster({ size: 'control-plane' }))
  }

  kubectl(words: string[], input = ''): string {
    const { kubectl, kubeconfig } = this.cluster
    return execFileSync(kubectl, ['--kubeconfig', kubeconfig, ...words], {
      encoding: 'utf8',
      input,
      timeout: 60_000,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  }

  /** As the administrator. */
  async ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const signal = AbortSignal.timeout(60_000)
    const call = { method, path, contentType, signal, ...(body === undefined ? {} : { body }) }
    return this.admin.call(call) as Promise<AgentAnswer & { body: unknown }>
  }

  /** All objects of one owner, by name. */
  async objects(owner: 'ours' | 'foreign' = 'ours', of = mark): Promise<Listed[]> {
    const found: Listed[] = []
    for (const { kind } of rbacKinds) {
      const { body } = await this.ask('GET', rbacListPath(kind))
      const { items } = body as { items: Listed[] }
      found.push(...items.filter((item) => rbacOwner(item.metadata, of) === owner))
    }
    return found
  }

  /** Requests of the agent that write, in the audit log of the API server, once they are all in it. */
  async agentWrites(): Promise<number> {
    const marker = randomUUID()
    await this.ask('GET', `/version?mark=${marker}`)
    let text = ''
    while (!text.includes(marker)) text = readFileSync(this.cluster.auditLog, 'utf8')
    const lines = text.trimEnd().split('\n')
    return lines.filter(
      (line) =>
        line.includes('"username":"system:serviceaccount:sallyport:agent"') &&
        /"verb":"(?:create|update|patch|delete)/.test(line) &&
        line.includes('"stage":"ResponseComplete"'),
    ).length
  }

  /** What kubectl lists for a user in a namespace, as a question; rows are `RESOURCE[.GROUP][/SUBRESOURCE] [] [] [VERBS]`. */
  canIList(user: string, namespace: string): (request: ApiRequest) => boolean {
    const text = this.kubectl(['auth', 'can-i', '--list', '-n', namespace, `--as=${user}`])
    const rows = text.split('\n').flatMap((line) => {
      const [, resource, verbs] = /^(\S+)\s+\[\]\s+\[\]\s+\[(.*)\]$/.exec(line) ?? []
      return resource === undefined ? [] : [{ resource, verbs: verbs?.split(' ') ?? [] }]
    })
    return ({ group, resource, subresource, verb }) => {
      const full = group === '' ? resource : `${resource}.${group}`
      const name = subresource === '' ? full : `${full}/${subresource}`
      const names = [name, group === '' ? '*' : `*.${group}`, '*.*']
      return rows.some(
        (row) => names.includes(row.resource) && [verb, '*'].some((v) => row.verbs.includes(v)),
      )
    }
  }

  async isAllowed(
    subject: { user: string; groups?: string[] },
    resourceAttributes: object,
  ): Promise<boolean> {
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    const spec = { user: subject.user, groups: subject.groups ?? [], resourceAttributes }
    const { body, status } = await this.ask('POST', path, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec,
    })
    if (status !== 201) throw new Error(`the API server answered ${status}`)
    return (body as { status: { allowed: boolean } }).status.allowed
  }

  async stop(): Promise<void> {
    await this.admin.close()
    await this.cluster.stop()
  }
}

const prefix = 'Microsoft.Kubernetes/connectedClusters/'

export function role(
  name: string,
  data: readonly string[],
  not: readonly string[] = [],
): AgentRole {
  const dataActions = data.map((action) => prefix + action)
  const notDataActions = not.map((action) => prefix + action)
  return { id: randomUUID(), name, permissions: [{ dataActions, notDataActions }] }
}

export function assignment(of: AgentRole, to: Partial<AgentAssignment> = {}): AgentAssignment {
  return {
    id: randomUUID(),
    principalId: randomUUID(),
    subjectKind: 'User',
    roleId: of.id,
    ...to,
  }
}

/** A materialiser with its log, and assignments a test can change. */
export class Subject {
  readonly log = new LogReader()
  readonly materialiser: Materialiser
  fetched = 0
  /** The hub does not answer. */
  fail = false
  #now: AgentAssignments = { version: '0', roles: [], assignments: [] }

  constructor(target: UpstreamTarget, hash: string = clusterHash) {
    this.materialiser = new Materialiser({
      target,
      clusterHash: hash,
      fetch: () => {
        this.fetched++
        if (this.fail) return Promise.reject(new Error('cut off'))
        return Promise.resolve(this.#now)
      },
      log: pino(this.log.stream),
    })
    this.materialiser.start()
  }

  /** Offers new assignments; resolves when they are in place, with the milliseconds that took. */
  async set(roles: AgentRole[], assignments: AgentAssignment[]): Promise<number> {
    this.#now = { version: randomUUID(), roles, assignments }
    return this.reconciled(() => {
      this.materialiser.offer({ version: this.#now.version, disabledFeatures: [] })
    })
  }

  /** Runs `cause`, and waits for the reconcile it causes. */
  async reconciled(cause: () => void): Promise<number> {
    const next = this.log.count('rbac.reconciled') + 1
    const startedAt = performance.now()
    cause()
    await this.log.until('rbac.reconciled', next)
    return performance.now() - startedAt
  }

  async close(): Promise<void> {
    await this.materialiser.close()
  }
}
