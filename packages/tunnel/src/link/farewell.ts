/**
 * Why the agent ends a link: said in the debug data of its GOAWAY (RFC 9113 section 6.8), so that the client knows what to do.
 * @module
 */
import {
  BindErrorSchema,
  SallyportError,
  errorRegistry,
  jsonParser,
  type ErrorCode,
} from '@sallyport/protocol'

/** More than this is not one of ours. */
const farewellBytes = 2048

const parse = jsonParser(BindErrorSchema, 'farewell of the agent', 'ERR_LINK_LOST')

/** Bytes for the debug data; the precise reason stays in the agent's log. */
export function farewellBytesOf({ code, message }: SallyportError): Buffer {
  const serverTime = Math.floor(Date.now() / 1000)
  return Buffer.from(JSON.stringify({ code, message: message.slice(0, 512), serverTime }))
}

/** What the agent said; undefined for a GOAWAY without a reason or with one that makes no sense. */
export function readFarewell(debugData: Uint8Array | undefined): SallyportError | undefined {
  if (debugData === undefined || debugData.length === 0 || debugData.length > farewellBytes) {
    return undefined
  }
  try {
    const { code, message } = parse(Buffer.from(debugData).toString('utf8'))
    const known = Object.hasOwn(errorRegistry, code) ? (code as ErrorCode) : 'ERR_LINK_LOST'
    return new SallyportError(known, message)
  } catch {
    return undefined
  }
}
