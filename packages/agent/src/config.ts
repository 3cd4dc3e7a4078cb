/**
 * Settings of the agent: flag over environment over default; all problems are reported at once, before a socket opens.
 * @module
 */
import { parseArgs } from 'node:util'
import { SallyportError, limits } from '@sallyport/protocol'

/** What the agent runs with. */
export interface AgentConfig {
  stateDirectory: string
  kubeconfig: string
  context: string | undefined
  logLevel: LogLevel
  logFile: string | undefined
  /** Where health and metrics are served; undefined when off. */
  healthListen: { host: string; port: number } | undefined
  /** How long live sessions outlive the lease when the hub is away. */
  rideOutMs: number
  dangerouslySkipTlsVerify: boolean
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
type LogLevel = (typeof logLevels)[number]

interface Field {
  value: string
  summary: string
  fallback?: string
}

const environmentPrefix = 'SALLYPORT_AGENT_'

/** Every setting by flag name; the environment name is derived from it. */
const fields = {
  'state-directory': { value: 'DIR', summary: 'directory of keys and enrolment (required)' },
  kubeconfig: { value: 'FILE', summary: 'kubeconfig of the agent itself (required)' },
  context: { value: 'NAME', summary: 'context of the kubeconfig', fallback: 'its current context' },
  'log-level': { value: 'LEVEL', summary: logLevels.join(', '), fallback: 'info' },
  'log-file': { value: 'FILE', summary: 'append the log to a file', fallback: 'standard error' },
  'health-listen': {
    value: 'HOST:PORT',
    summary: 'serve /healthz, /readyz and /metrics, or off',
    fallback: 'off',
  },
  'ride-out': {
    value: 'SECONDS',
    summary:
      'how long live sessions outlive the lease when the hub is away, up to a day; revocations of that time come late',
    fallback: '0',
  },
  'dangerously-skip-tls-verify': {
    value: 'true',
    summary: 'accept any certificate of the API server, when the kubeconfig asks for that',
    fallback: 'false',
  },
} as const satisfies Record<string, Field>
type FieldName = keyof typeof fields

function environmentName(field: string): string {
  return environmentPrefix + field.toUpperCase().replaceAll('-', '_')
}

/** Text of `sallyport agent --help`. */
export function agentHelp(): string {
  const lines = Object.entries(fields).map(([name, field]: [string, Field]) => {
    const fallback = field.fallback === undefined ? '' : ` (default: ${field.fallback})`
    return `  --${name} ${field.value}\n      ${field.summary}${fallback}; ${environmentName(name)}`
  })
  return `Usage: sallyport agent --state-directory DIR --kubeconfig FILE [options]\n\nRuns beside a cluster and forwards requests of bound sessions to its API server.\n\nOptions:\n${lines.join('\n')}\n`
}

type Values = Partial<Record<FieldName, string>>

function readFlags(argv: readonly string[], problems: string[]): Values & { help?: boolean } {
  const strings = Object.keys(fields).filter((name) => name !== 'dangerously-skip-tls-verify')
  try {
    const { values } = parseArgs({
      args: [...argv],
      allowPositionals: false,
      options: {
        ...Object.fromEntries(strings.map((name) => [name, { type: 'string' as const }])),
        'dangerously-skip-tls-verify': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const { help, 'dangerously-skip-tls-verify': skip, ...rest } = values
    return {
      ...(rest as Values),
      ...(skip === true ? { 'dangerously-skip-tls-verify': 'true' } : {}),
      ...(help === true ? { help } : {}),
    }
  } catch (error) {
    problems.push(error instanceof Error ? error.message : 'the flags cannot be read')
    return {}
  }
}

function readEnvironment(env: NodeJS.ProcessEnv, problems: string[]): Values {
  const byName = new Map(Object.keys(fields).map((name) => [environmentName(name), name]))
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(environmentPrefix) || value === undefined) continue
    const field = byName.get(name)
    // A misspelt security setting must not be silently without effect (CVE-2024-43798).
    if (field === undefined) problems.push(`${name} is not a setting`)
    else if (value !== '') values[field] = value
  }
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] !== undefined)
    problems.push('NODE_TLS_REJECT_UNAUTHORIZED is set: certificates are always verified')
  return values
}

function readLogLevel(text: string | undefined, problems: string[]): LogLevel {
  const level = logLevels.find((known) => known === (text ?? 'info'))
  if (level === undefined) problems.push(`log-level is none of ${logLevels.join(', ')}`)
  return level ?? 'info'
}

function readListen(text: string, problems: string[]): AgentConfig['healthListen'] {
  if (text === 'off') return undefined
  const match = /^(\[[0-9A-Fa-f:]+\]|[\w.-]+):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2] ?? -1)
  if (match === null || port > 65_535) {
    problems.push('health-listen is neither HOST:PORT nor off')
    return undefined
  }
  return { host: (match[1] ?? '').replaceAll(/[[\]]/g, ''), port }
}

function readFlag(text: string | undefined, name: string, problems: string[]): boolean {
  if (text === undefined || text === 'false') return false
  if (text !== 'true') problems.push(`${name} is neither true nor false`)
  return text === 'true'
}

function readRideOut(text: string, problems: string[]): number {
  const ms = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : Infinity
  if (ms <= limits.rideOutMaxMs) return ms
  problems.push(`ride-out is not a number of seconds from 0 to ${limits.rideOutMaxMs / 1000}`)
  return 0
}

/**
 * Reads the settings; `help` when only the help text is wanted.
 * @throws SallyportError ERR_CONFIG_INVALID naming every problem.
 */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): AgentConfig | 'help' {
  const problems: string[] = []
  const fromEnvironment = readEnvironment(env, problems)
  const { help, ...flags } = readFlags(argv, problems)
  if (help === true) return 'help'
  const values: Values = { ...fromEnvironment, ...flags }
  for (const name of ['state-directory', 'kubeconfig'] as const)
    if (values[name] === undefined || values[name] === '') problems.push(`${name} is missing`)
  const config: AgentConfig = {
    stateDirectory: values['state-directory'] ?? '',
    kubeconfig: values.kubeconfig ?? '',
    context: values.context,
    logLevel: readLogLevel(values['log-level'], problems),
    logFile: values['log-file'],
    healthListen: readListen(values['health-listen'] ?? 'off', problems),
    rideOutMs: readRideOut(values['ride-out'] ?? '0', problems),
    dangerouslySkipTlsVerify: readFlag(
      values['dangerously-skip-tls-verify'],
      'dangerously-skip-tls-verify',
      problems,
    ),
  }
  if (problems.length === 0) return config
  throw new SallyportError('ERR_CONFIG_INVALID', `the agent cannot start: ${problems.join('; ')}`, {
    remedy: 'correct the named settings; sallyport agent --help lists them',
  })
}
