/**
 * Merges the sources (flag > environment > file > default), checks everything, reports every problem at once.
 * @module
 */
import { homedir } from 'node:os'
import { Compile } from 'typebox/compile'
import { SallyportError } from '@sallyport/protocol'
import { environmentName, flagName, strictSchema, type Field } from './field.ts'
import type { ConfigProgram } from './program.ts'
import { Secret } from './secret.ts'
import { readEnvironment, readFile, readFlags } from './sources.ts'

/** Where a value came from. */
export type Origin = 'flag' | 'environment' | 'file' | 'default'

/** A checked configuration: values by field, and the origin of each. */
export interface LoadedConfig {
  values: Record<string, unknown>
  origins: Record<string, Origin>
}

/** What the arguments ask for. */
export type ConfigOutcome = { kind: 'run' | 'print'; config: LoadedConfig } | { kind: 'help' }

const sourceLabel = (program: ConfigProgram, name: string, origin: Origin): string => {
  if (origin === 'flag') return flagName(name)
  if (origin === 'environment') return environmentName(program.environmentPrefix, name)
  return name
}

/**
 * Loads the configuration of `program`.
 * @throws SallyportError ERR_CONFIG_INVALID listing all problems, one a line; a wrong value is never repeated.
 */
export function loadConfig(
  program: ConfigProgram,
  input: { argv: string[]; env: NodeJS.ProcessEnv },
): ConfigOutcome {
  const flags = readFlags(program.fields, input.argv)
  if (flags.help) return { kind: 'help' }
  const environment = readEnvironment(program, input.env)
  const file = readFile(flags.config ?? input.env[`${program.environmentPrefix}CONFIG`])
  const problems = [...flags.problems, ...environment.problems, ...file.problems]
  for (const name of Object.keys(file.values)) {
    if (!Object.hasOwn(program.fields, name)) problems.push(`unknown setting '${name}' in the file`)
  }
  const config: LoadedConfig = { values: {}, origins: {} }
  for (const [name, field] of Object.entries(program.fields)) {
    const found = [
      ['flag', flags.values[name]],
      ['environment', environment.values[name]],
      ['file', file.values[name]],
      ['default', field.default],
    ] as const
    const [origin, value] = found.find(([, each]) => each !== undefined) ?? ['default', undefined]
    config.origins[name] = origin
    if (value !== undefined) config.values[name] = value
    else if (field.required === true) problems.push(`${flagName(name)} is required`)
  }
  problems.push(...check(program, config))
  if (problems.length > 0) throw configError(program.command, problems)
  for (const [name, field] of Object.entries(program.fields)) finish(config, name, field)
  return { kind: flags.printConfig ? 'print' : 'run', config }
}

/** The error for configuration problems, one a line. */
export function configError(command: string, problems: string[]): SallyportError {
  return new SallyportError(
    'ERR_CONFIG_INVALID',
    `the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}\n${problems
      .map((problem) => `  - ${problem}`)
      .join('\n')}\n`,
    { remedy: `correct the named settings and start again; ${command} --help lists all` },
  )
}

function check(program: ConfigProgram, config: LoadedConfig): string[] {
  const compiled = Compile(strictSchema(program.fields))
  if (compiled.Check(config.values)) return []
  const problems = new Map<string, string>()
  for (const error of compiled.Errors(config.values)) {
    const name = error.instancePath.split('/')[1] ?? ''
    const field = program.fields[name]
    if (field === undefined || problems.has(name)) continue
    const label = sourceLabel(program, name, config.origins[name] ?? 'default')
    problems.set(name, `${label}: ${expectation(field, error.message)}`)
  }
  return [...problems.values()]
}

function expectation(field: Field, message: string): string {
  if (field.kind === 'secret') return 'is not a usable secret'
  return `expected ${field.placeholder}: ${message}`
}

function finish(config: LoadedConfig, name: string, field: Field): void {
  const value = config.values[name]
  if (field.kind === 'secret' && typeof value === 'string') config.values[name] = new Secret(value)
  if (typeof value === 'string' && /^~(\/|$)/.test(value)) {
    config.values[name] = homedir() + value.slice(1)
  }
}
