/**
 * Locations a hub offers.
 * @module
 */
import Type from 'typebox'
import type { Scope } from './clusters.ts'

const LocationSchema = Type.Object({ name: Type.String() }, { additionalProperties: true })

/** The first location; every hub has at least one. */
export async function defaultLocation(scope: Scope): Promise<string> {
  const path = `/subscriptions/${scope.subscriptionId}/locations`
  const [first] = await scope.client.list(
    { method: 'GET', path, signal: scope.signal },
    LocationSchema,
    'list of locations',
  )
  return first?.name ?? 'local'
}
