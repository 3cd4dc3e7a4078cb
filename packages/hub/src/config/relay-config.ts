/**
 * Typed configuration of a relay that runs alone.
 * @module
 */
import { resolve } from 'node:path'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { relayProgram } from './hub-fields.ts'
import { configError, type LoadedConfig } from './load.ts'
import { serverConfig, type ServerConfig } from './server-config.ts'

/** Settings of the stand-alone relay. */
export interface RelayConfig extends ServerConfig {
  relayKeyFile: string
}

const compiled = Compile(Type.Object({ relayKeyFile: Type.String() }))

/** Types a loaded configuration. @throws SallyportError ERR_CONFIG_INVALID for problems between fields. */
export function relayConfig(config: LoadedConfig): RelayConfig {
  const problems: string[] = []
  const server = serverConfig(config, problems)
  if (problems.length > 0) throw configError(relayProgram.command, problems)
  return { ...server, relayKeyFile: resolve(compiled.Parse(config.values).relayKeyFile) }
}
