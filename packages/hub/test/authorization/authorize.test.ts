/**
 * Gate 1.
 * @module
 */
import { expect, test } from 'vitest'
import { administratorPolicy, authorize } from '../../src/authorization/authorize.ts'
import type { Principal } from '../../src/identity/principal.ts'

const principal: Principal = {
  objectId: '11111111-2222-4333-8444-555555555555',
  kind: 'user',
  tenantId: 't',
  displayName: 'mallory',
  administrator: false,
  groups: [],
}
const question = {
  principal,
  action: 'Microsoft.Kubernetes/connectedClusters/read',
  scope: '/subscriptions/s',
} as const

test('lets administrators do everything and nobody else anything', async () => {
  await authorize(administratorPolicy, {
    ...question,
    principal: { ...principal, administrator: true },
  })
  await expect(authorize(administratorPolicy, question)).rejects.toMatchObject({
    code: 'ERR_FORBIDDEN',
    message: expect.stringMatching(
      /mallory.*11111111-2222-4333-8444-555555555555.*connectedClusters\/read.*\/subscriptions\/s'/,
    ) as string,
  })
})

test('asks the policy with principal, action and scope', async () => {
  const asked: unknown[] = []
  await authorize((given) => {
    asked.push(given)
    return Promise.resolve(true)
  }, question)
  expect(asked).toEqual([question])
})
