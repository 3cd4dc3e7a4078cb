/**
 * Reads settings from flags, environment and file, each as found: untyped, with problems collected, never thrown.
 * @module
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parse as parseYaml } from 'yaml'
import { environmentName, flagName, type Field, type Fields } from './field.ts'
import type { ConfigProgram } from './program.ts'

/** What one source said. */
export interface SourceResult {
  values: Record<string, unknown>
  problems: string[]
}

/** Flags: values plus the switches every program has. */
export interface FlagResult extends SourceResult {
  help: boolean
  printConfig: boolean
  config: string | undefined
}

const fromText = (field: Field, text: string): unknown => {
  if (field.kind === 'integer') return /^-?[0-9]{1,15}$/.test(text) ? Number(text) : text
  if (field.kind === 'list') return text === '' ? [] : text.split(',').map((part) => part.trim())
  return text
}

/** Reads the flags; a secret has no flag, because arguments are visible to every local user. */
export function readFlags(fields: Fields, argv: string[]): FlagResult {
  const options: Record<string, { type: 'string' | 'boolean'; multiple?: boolean }> = {
    help: { type: 'boolean' },
    'print-config': { type: 'boolean' },
    config: { type: 'string' },
  }
  const byFlag = new Map<string, [string, Field]>()
  for (const [name, field] of Object.entries(fields)) {
    if (field.kind === 'secret') continue
    const flag = flagName(name).slice(2)
    byFlag.set(flag, [name, field])
    options[flag] = { type: 'string', multiple: true }
  }
  const { tokens } = parseArgs({ args: argv, options, strict: false, tokens: true })
  const result: FlagResult = {
    values: {},
    problems: [],
    help: false,
    printConfig: false,
    config: undefined,
  }
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'option') readFlag(result, byFlag.get(token.name), token)
    // After a misspelt flag it is that flag's value: no second problem, and no showing what may be a secret.
    const before = tokens[index - 1]
    const isItsValue = before?.kind === 'option' && !Object.hasOwn(options, before.name)
    if (token.kind === 'positional' && !isItsValue) {
      result.problems.push(`unexpected argument '${token.value}'`)
    }
  }
  return result
}

function readFlag(
  result: FlagResult,
  known: [string, Field] | undefined,
  token: { name: string; rawName: string; value?: string | undefined },
): void {
  if (token.name === 'help' || token.rawName === '-h') result.help = true
  else if (token.name === 'print-config') result.printConfig = true
  else if (token.value === undefined && (known !== undefined || token.name === 'config')) {
    result.problems.push(`${token.rawName} needs a value`)
  } else if (token.name === 'config') result.config = token.value
  else if (known === undefined) result.problems.push(`unknown flag ${token.rawName}`)
  else setFlag(result, known, token)
}

function setFlag(
  result: FlagResult,
  [name, field]: [string, Field],
  token: { rawName: string; value?: string | undefined },
): void {
  const value = fromText(field, token.value ?? '')
  const before = result.values[name]
  if (Array.isArray(value) && Array.isArray(before)) {
    result.values[name] = [...(before as unknown[]), ...(value as unknown[])]
  } else if (before !== undefined) {
    result.problems.push(`${token.rawName} is given twice`)
  } else result.values[name] = value
}

/** Variables Kubernetes sets in every pod when a Service is named like the program (not ours, not a misspelling). */
const serviceVariable = /^(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_.*)?)?)$/

/** Reads the environment; a variable with the prefix that names no field is a problem, because a misspelt setting must not be silently absent. */
export function readEnvironment(program: ConfigProgram, env: NodeJS.ProcessEnv): SourceResult {
  const { fields, environmentPrefix: prefix } = program
  const byVariable = new Map(
    Object.entries(fields).map(([name, field]) => [
      environmentName(prefix, name),
      [name, field] as const,
    ]),
  )
  const result: SourceResult = { values: {}, problems: [] }
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith(prefix) || variable === `${prefix}CONFIG`)
      continue
    const known = byVariable.get(variable)
    if (known !== undefined) result.values[known[0]] = fromText(known[1], text)
    else if (!serviceVariable.test(variable.slice(prefix.length))) {
      result.problems.push(`unknown environment variable ${variable}`)
    }
  }
  return result
}

/** Reads the YAML file; no file asked for is an empty answer. */
export function readFile(path: string | undefined): SourceResult {
  if (path === undefined) return { values: {}, problems: [] }
  let data: unknown
  try {
    data = parseYaml(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''
    return { values: {}, problems: [`configuration file ${path}: ${why}`] }
  }
  if (data === null || data === undefined) return { values: {}, problems: [] }
  if (typeof data !== 'object' || Array.isArray(data)) {
    return { values: {}, problems: [`configuration file ${path}: not a list of settings`] }
  }
  return { values: { ...data }, problems: [] }
}
