/**
 * ARM resources as az prints them: `properties` flattened to the top level, `resourceGroup` added.
 * @module
 */
import { isObject, type JsonObject } from './value.ts'

/** Flattens one resource; a property never replaces a member of the envelope. */
export function flattenResource(resource: JsonObject): JsonObject {
  const { properties, ...envelope } = resource
  const id = typeof resource['id'] === 'string' ? resource['id'] : ''
  const [, resourceGroup] = /\/resourcegroups\/([^/]+)\//i.exec(id) ?? []
  const flat = Object.entries(isObject(properties) ? properties : {}).filter(
    ([name]) => !Object.hasOwn(envelope, name),
  )
  return {
    ...envelope,
    ...Object.fromEntries(flat),
    ...(resourceGroup === undefined ? {} : { resourceGroup }),
  }
}
