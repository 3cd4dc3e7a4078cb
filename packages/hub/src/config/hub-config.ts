/**
 * Typed configuration of the hub.
 * @module
 */
import { resolve } from 'node:path'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { hubProgram } from './hub-fields.ts'
import { configError, type LoadedConfig } from './load.ts'
import { serverConfig, type ServerConfig } from './server-config.ts'

/** Settings of the hub; undefined ids are made at first start. */
export interface HubConfig extends ServerConfig {
  tenantId: string | undefined
  subscriptionId: string | undefined
  location: string
  administratorFile: string | undefined
  /** `wss://` origins; undefined: this hub itself. */
  relays: string[] | undefined
  agentLeaseMs: number
  issuerCaFile: string | undefined
}

const text = Type.Optional(Type.String())
const compiled = Compile(
  Type.Object({
    tenantId: text,
    subscriptionId: text,
    location: Type.String(),
    administratorFile: text,
    relays: Type.Optional(Type.Array(Type.String())),
    agentLease: Type.Integer(),
    issuerCaFile: text,
  }),
)

/** Types a loaded configuration. @throws SallyportError ERR_CONFIG_INVALID for problems between fields. */
export function hubConfig(config: LoadedConfig): HubConfig {
  const problems: string[] = []
  const server = serverConfig(config, problems)
  const values = compiled.Parse(config.values)
  const relays = (values.relays ?? []).map((relay) => relayOrigin(relay, problems))
  if (problems.length > 0) throw configError(hubProgram.command, problems)
  return {
    ...server,
    tenantId: values.tenantId?.toLowerCase(),
    subscriptionId: values.subscriptionId?.toLowerCase(),
    location: values.location,
    administratorFile:
      values.administratorFile === undefined ? undefined : resolve(values.administratorFile),
    relays: relays.length === 0 ? undefined : relays,
    agentLeaseMs: values.agentLease * 1000,
    issuerCaFile: values.issuerCaFile === undefined ? undefined : resolve(values.issuerCaFile),
  }
}

function relayOrigin(relay: string, problems: string[]): string {
  const parsed = URL.parse(relay)
  if (parsed !== null) return `wss://${parsed.host}`
  problems.push('--relays: one of them is not a URL')
  return relay
}
