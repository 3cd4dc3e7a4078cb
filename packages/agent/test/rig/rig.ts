/**
 * Agent request path between a local end and a recorder, in one process.
 * @module
 */
import type { SallyportError } from '@sallyport/protocol'
import { guard } from '../../src/guard/guard.ts'
import type { StreamSession } from '../../src/link/stream-session.ts'
import { KubernetesServer } from '../../src/link/kubernetes-server.ts'
import { AgentCredential, type CredentialSource } from '../../src/upstream/credential.ts'
import { HeadGuard } from '../../src/upstream/head-guard.ts'
import { ImpersonatingClient } from '../../src/upstream/impersonating-client.ts'
import { PassThroughClient } from '../../src/upstream/pass-through-client.ts'
import type { UpstreamAddress } from '../../src/upstream/target.ts'
import type { UpstreamClient } from '../../src/upstream/client.ts'
import { LocalEnd } from './local-end.ts'

export const oid = '8d1c6f0e-2a5b-4c1d-9e6f-0a1b2c3d4e5f'
export const sid = '11111111-2222-4333-8444-555555555555'

/** Everything between the two ends. */
export interface Rig {
  problems: { requestId: string; error: SallyportError }[]
  violations: string[]
  open(): LocalEnd
  close(): void
}

/** Address of a TLS server on 127.0.0.1. */
export function addressOf(port: number, ca: string): UpstreamAddress {
  return {
    origin: `https://127.0.0.1:${port}`,
    hostname: '127.0.0.1',
    port,
    pathPrefix: '',
    ca,
    serverName: undefined,
    verify: true,
  }
}

/** Builds the request path for one session. */
export function makeRig(options: {
  address: UpstreamAddress
  mode?: UpstreamClient['kind']
  groups?: string[]
  credential?: CredentialSource
  headersTimeoutMs?: number
}): Rig {
  const violations: string[] = []
  const heads = new HeadGuard({ violation: (text) => violations.push(text) })
  heads.start()
  const { address } = options
  const credential = new AgentCredential(options.credential ?? { token: 'agent-own-token' })
  const client =
    options.mode === 'pass-through'
      ? new PassThroughClient({ address, guard: heads })
      : new ImpersonatingClient({
          target: { address, credential },
          identity: guard({ oid, sid, groups: options.groups ?? [] }),
          guard: heads,
        })
  const problems: Rig['problems'] = []
  let count = 0
  const session: StreamSession = {
    sessionId: sid,
    client,
    nextRequestId: () => `${sid}.${++count}`,
    onProblem: (requestId, error) => problems.push({ requestId, error }),
  }
  const { headersTimeoutMs } = options
  const server = new KubernetesServer(headersTimeoutMs === undefined ? {} : { headersTimeoutMs })
  return {
    problems,
    violations,
    open: () => {
      const end = new LocalEnd()
      server.accept(end.agentEnd, session)
      return end
    },
    close: () => {
      client.destroy()
      server.close()
      heads.close()
    },
  }
}
