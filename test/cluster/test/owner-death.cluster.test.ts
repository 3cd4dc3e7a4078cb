import { afterEach, describe, expect, test } from 'vitest'
import { sweepClusters } from '../src/sweep.ts'
import { isAlive } from '../src/process-identity.ts'
import { leftoversOf, stateOf } from './leftovers.ts'
import { childrenOf, killWatchdog, startOwner, type Owner } from './owner.ts'

const owners: Owner[] = []
const start = async (...flags: string[]): Promise<Owner & { pid: number }> => {
  const owner = await startOwner(...flags)
  owners.push(owner)
  return { ...owner, pid: owner.child.pid ?? 0 }
}

afterEach(() => {
  // The watchdog does the rest for a test that failed half-way.
  for (const owner of owners.splice(0)) owner.child.kill('SIGKILL')
})

describe.each(['control-plane', 'node'])('the owner of a %s', (size) => {
  test('cleans up on SIGINT and ends with 0', async () => {
    const owner = await start('--size', size)
    const state = await stateOf(owner.directory)
    expect(childrenOf(owner.pid).length).toBeGreaterThan(2)
    owner.child.kill('SIGINT')
    expect(await owner.ended).toBe(0)
    expect(await leftoversOf(state)).toEqual([])
  })

  test('killed with SIGKILL: the watchdog cleans up', async () => {
    const owner = await start('--size', size)
    const state = await stateOf(owner.directory)
    owner.child.kill('SIGKILL')
    await expect.poll(() => leftoversOf(state), { timeout: 20_000 }).toEqual([])
  })

  test('killed together with the watchdog: its programs end, the next sweep does the rest', async () => {
    const owner = await start('--size', size)
    const state = await stateOf(owner.directory)
    killWatchdog(owner.pid)
    owner.child.kill('SIGKILL')
    const alive = (): string[] =>
      Object.entries(state.processes).flatMap(([name, id]) => (isAlive(id) ? [name] : []))
    await expect.poll(alive, { timeout: 10_000 }).toEqual([])
    expect(await leftoversOf(state)).toContain(`directory ${state.directory}`)
    const result = await sweepClusters()
    expect(result.failed).toEqual([])
    expect(await leftoversOf(state)).toEqual([])
  })
})
