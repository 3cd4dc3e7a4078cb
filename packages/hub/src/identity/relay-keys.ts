/**
 * The shared access keys between hub and relays: one file, used by the hub to sign and by each relay to check.
 * @module
 */
import { randomBytes } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { jsonParser, SallyportError } from '@sallyport/protocol'
import { readPrivateFile, writePrivateFile } from '../server/data-directory.ts'

const RuleSchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 256 }),
  /** Base64 of 32 random bytes; the text itself is the HMAC key, as in the public protocol. */
  key: Type.String({ minLength: 32, maxLength: 256 }),
  rights: Type.Array(
    Type.Union([Type.Literal('Listen'), Type.Literal('Send'), Type.Literal('Manage')]),
    { minItems: 1 },
  ),
  /** Limits the rule to a path and what is below. */
  path: Type.Optional(Type.String({ maxLength: 1024 })),
})
const RelayKeysSchema = Type.Object({
  rules: Type.Array(RuleSchema, { minItems: 1, maxItems: 12 }),
})

/** A shared access rule. */
export type RelayRule = Static<typeof RuleSchema>

/** Names of the two rules of a hub. */
export const relayRuleNames = { listen: 'listen', send: 'send' } as const

/** Reads the rules, or makes them when there is no file. @throws SallyportError ERR_STATE_INVALID, ERR_FILE_ACCESS. */
export function loadOrMakeRelayRules(path: string): RelayRule[] {
  const kept = readPrivateFile(path)
  if (kept !== undefined) return parse(path, kept)
  const rule = (name: string, right: 'Listen' | 'Send'): RelayRule => ({
    name,
    key: randomBytes(32).toString('base64'),
    rights: [right],
  })
  const rules = [rule(relayRuleNames.listen, 'Listen'), rule(relayRuleNames.send, 'Send')]
  writePrivateFile(path, `${JSON.stringify({ rules }, undefined, 2)}\n`)
  return rules
}

/** Reads the rules of a relay that runs alone. @throws SallyportError ERR_FILE_ACCESS, ERR_STATE_INVALID. */
export function loadRelayRules(path: string): RelayRule[] {
  const kept = readPrivateFile(path)
  if (kept !== undefined) return parse(path, kept)
  throw new SallyportError('ERR_FILE_ACCESS', `cannot read ${path}: no such file`, {
    remedy: 'copy keys/relay.json from the data directory of the hub, mode 0600',
  })
}

function parse(path: string, text: string): RelayRule[] {
  return jsonParser(RelayKeysSchema, path, 'ERR_STATE_INVALID')(text).rules
}
