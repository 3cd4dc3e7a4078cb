/**
 * Gate 1: the question and the words of a refusal.
 * @module
 */
import { expect, test } from 'vitest'
import { authorize } from '../../src/authorization/authorize.ts'
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

test('a refusal names principal, action, scope and the least role that would allow it', async () => {
  await expect(authorize(() => Promise.resolve(false), question)).rejects.toMatchObject({
    code: 'ERR_FORBIDDEN',
    message: expect.stringMatching(
      /mallory.*11111111-2222-4333-8444-555555555555.*connectedClusters\/read.*\/subscriptions\/s'/,
    ) as string,
    remedy: `ask for the role 'Reader': sallyport role assignment create --assignee 11111111-2222-4333-8444-555555555555 --role "Reader" --scope /subscriptions/s`,
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
