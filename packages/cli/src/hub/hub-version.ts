/**
 * Which version a hub is.
 * @module
 */
import Type from 'typebox'
import { parser } from '@sallyport/protocol'
import type { HubTransport } from './transport.ts'

const parse = parser(
  Type.Object({ info: Type.Object({ version: Type.String({ maxLength: 64 }) }) }),
  'OpenAPI document',
)

/** `info.version` of the hub's OpenAPI document; undefined when the hub does not tell. */
export async function hubVersion(
  transport: HubTransport,
  signal: AbortSignal,
): Promise<string | undefined> {
  const response = await transport.send({
    method: 'GET',
    path: '/sallyport/v1/openapi.json',
    signal,
  })
  try {
    return parse(JSON.parse(response.text)).info.version
  } catch {
    return undefined
  }
}
