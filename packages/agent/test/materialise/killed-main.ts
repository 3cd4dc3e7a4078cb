/**
 * A materialiser in a process of its own, for a test to kill: `killed-main.ts <kubeconfig> <token> <assignments.json>`.
 * @module
 */
import { readFileSync } from 'node:fs'
import type { AgentAssignments } from '@sallyport/protocol'
import { pino } from 'pino'
import { Materialiser } from '../../src/materialise/materialiser.ts'
import { AgentCredential } from '../../src/upstream/credential.ts'
import { loadUpstream } from '../../src/upstream/load-upstream.ts'

const [kubeconfig = '', token = '', path = '', clusterHash = ''] = process.argv.slice(2)
const assignments = JSON.parse(readFileSync(path, 'utf8')) as AgentAssignments
const materialiser = new Materialiser({
  target: { address: loadUpstream(kubeconfig).address, credential: new AgentCredential({ token }) },
  clusterHash,
  fetch: () => Promise.resolve(assignments),
  log: pino(process.stdout),
})
materialiser.start()
materialiser.offer({ version: assignments.version, disabledFeatures: [] })
