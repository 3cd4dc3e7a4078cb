/**
 * Sends claims through the agent's own guard and client to the API server of a kubeconfig and tells who arrived.
 * Standard input: `GuardNames` as JSON; standard output: for each group what the API server understood, or the refusal.
 * @module
 */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { isSallyportError } from '@sallyport/protocol'
import { guard } from '../../../packages/agent/src/guard/guard.ts'
import { HeadGuard } from '../../../packages/agent/src/upstream/head-guard.ts'
import { ImpersonatingClient } from '../../../packages/agent/src/upstream/impersonating-client.ts'
import { loadUpstream } from '../../../packages/agent/src/upstream/load-upstream.ts'

/** Claims to try: one user, and each list of groups by itself. */
export interface GuardNames {
  kubeconfig: string
  oid: string
  sid: string
  lists: unknown[]
}

const { kubeconfig, oid, sid, lists } = JSON.parse(readFileSync(0, 'utf8')) as GuardNames
const target = loadUpstream(kubeconfig)
const heads = new HeadGuard({ violation: () => process.exit(70) })
heads.start()
const review = JSON.stringify({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'SelfSubjectReview',
})

/** Body of the answer to a SelfSubjectReview under these groups. */
async function whoami(groups: unknown): Promise<string> {
  const client = new ImpersonatingClient({
    target,
    identity: guard({ oid, sid, groups }),
    guard: heads,
  })
  try {
    return await new Promise((resolve, reject) => {
      let body = ''
      client.send(
        {
          method: 'POST',
          target: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
          headers: ['Content-Type', 'application/json', 'Content-Length', `${review.length}`],
          authorization: undefined,
          body: Readable.from([Buffer.from(review)]),
          headersTimeoutMs: 10_000,
        },
        {
          onRequestStart: () => undefined,
          onResponseStart: () => undefined,
          onResponseData: (_, chunk) => {
            body += chunk.toString('utf8')
          },
          onResponseEnd: () => {
            resolve(body)
          },
          onResponseError: (_, error) => {
            reject(error)
          },
        },
      )
    })
  } finally {
    client.destroy()
  }
}

const verdicts: unknown[] = []
for (const groups of lists) {
  try {
    const answer = JSON.parse(await whoami(groups)) as { status: { userInfo: unknown } }
    verdicts.push(answer.status.userInfo)
  } catch (error) {
    verdicts.push(isSallyportError(error) ? error.code : String(error))
  }
}
process.stdout.write(JSON.stringify(verdicts))
process.exit(0)
