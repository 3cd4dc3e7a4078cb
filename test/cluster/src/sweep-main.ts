/**
 * The watchdog's last act, also of use by hand: removes the clusters of dead owners.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { sweepClusters } from './sweep.ts'

// The owner's files are closed a moment before the kernel calls it dead.
await sleep(200)
const result = await sweepClusters()
for (const id of result.removed) process.stderr.write(`removed cluster ${id} of a dead owner\n`)
for (const { id, reason } of result.failed) process.stderr.write(`cluster ${id}: ${reason}\n`)
if (result.failed.length > 0) process.exitCode = 1
