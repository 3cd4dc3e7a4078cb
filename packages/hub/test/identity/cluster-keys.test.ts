/**
 * Cluster-token keys over time, in their file.
 * @module
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { ClusterKeys } from '../../src/identity/cluster-keys.ts'
import { KeyRotation } from '../../src/identity/key-rotation.ts'
import { ChangeFeed } from '../../src/registry/change-feed.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let now: number
const path = (): string => `${directory.path}/cluster-token.json`
const load = (): Promise<ClusterKeys> =>
  ClusterKeys.load({ path: path(), issuer: 'urn:hub', store, now: () => now })
const kids = (keys: ClusterKeys): string[] => keys.publicKeys().map(({ kid }) => kid)

beforeEach(async () => {
  directory = temporaryDirectory()
  store = await openStore({ directory: `${directory.path}/data` })
  now = 1_790_000_000_000
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

const rotation = (keys: ClusterKeys): KeyRotation =>
  new KeyRotation({
    keys,
    store,
    changes: new ChangeFeed(),
    leaseMs: limits.feedLeaseMs,
    onProblem: (error) => {
      throw error
    },
    now: () => now,
  })

test('keys and statements survive a restart at every step', async () => {
  const keys = await load()
  const first = keys.signing.kid
  expect(kids(await load())).toEqual([first])
  const second = await keys.announce()
  expect(await keys.announce()).toBe(second)
  const announced = await load()
  expect(kids(announced)).toEqual([first, second])
  expect(announced.signing.kid).toBe(first)
  await keys.activate()
  expect((await load()).signing.kid).toBe(second)
  now += limits.clusterTokenTtlMs + 2 * limits.clusterTokenSkewMs - 1
  expect(await keys.dropOld()).toBe(false)
  now += 1
  expect(await keys.dropOld()).toBe(true)
  const dropped = await load()
  expect(kids(dropped)).toEqual([second])
  // An agent that was away for all of it follows the whole chain; each link is signed by a key of the one before.
  const chain = dropped.statementsFor([first])
  expect(chain.map((statement) => decodeProtectedHeader(statement).kid)).toEqual([first, second])
  expect(dropped.statementsFor([first, second])).toEqual(chain.slice(1))
  expect(dropped.statementsFor([second])).toEqual([])
  expect(decodeJwt(chain[0] ?? '').iss).toBe('urn:hub')
})

test('by age: after 30 days, without agents at once', async () => {
  const keys = await load()
  const first = keys.signing.kid
  const due = rotation(keys)
  now += limits.clusterTokenKeyTtlMs - 1
  await due.step()
  expect(kids(keys)).toEqual([first])
  now += 1
  await due.step()
  expect(keys.signing.kid).not.toBe(first)
  expect(kids(keys)).toHaveLength(2)
})

test('a file from before the keys agents follow, or none, is refused', async () => {
  const keys = await load()
  const old = readFileSync(path(), 'utf8')
  await keys.retireNow()
  writeFileSync(path(), old)
  await expect(load()).rejects.toMatchObject({ code: 'ERR_STATE_INVALID' })
  writeFileSync(path(), '{"keys":[]}')
  await expect(load()).rejects.toMatchObject({ code: 'ERR_STATE_INVALID' })
})

test('private keys are written for their owner only', async () => {
  await load()
  expect(statSync(path()).mode & 0o777).toBe(0o600)
})
