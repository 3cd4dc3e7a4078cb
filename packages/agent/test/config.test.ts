import { expect, test } from 'vitest'
import { agentHelp, readConfig } from '../src/config.ts'

const required = ['--state-directory', '/s', '--kubeconfig', '/k']

test('flags win over the environment, the environment over defaults', () => {
  const env = {
    SALLYPORT_AGENT_LOG_LEVEL: 'debug',
    SALLYPORT_AGENT_CONTEXT: 'env',
    SALLYPORT_AGENT_HEALTH_LISTEN: '[::1]:9000',
    OTHER: 'x',
  }
  expect(readConfig([...required, '--context', 'flag'], env)).toEqual({
    stateDirectory: '/s',
    kubeconfig: '/k',
    context: 'flag',
    logLevel: 'debug',
    logFile: undefined,
    healthListen: { host: '::1', port: 9000 },
    rideOutMs: 0,
    dangerouslySkipTlsVerify: false,
  })
})

test('T-CFG-1 all problems are reported at once, misspelt settings among them', () => {
  const env = {
    SALLYPORT_AGENT_HEALTH_LISTEN: 'nowhere',
    SALLYPORT_AGENT_KUBECONFG: '/k',
    SALLYPORT_AGENT_LOG_LEVEL: 'loud',
    SALLYPORT_AGENT_DANGEROUSLY_SKIP_TLS_VERIFY: 'maybe',
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
  }
  for (const part of [
    /KUBECONFG is not a setting/,
    /health-listen/,
    /log-level/,
    /neither true nor false/,
    /NODE_TLS_REJECT_UNAUTHORIZED/,
    /state-directory is missing/,
    /kubeconfig is missing/,
  ])
    expect(() => readConfig([], env)).toThrow(part)
  expect(() => readConfig([...required, '--insecure'], {})).toThrow(/--insecure/)
  expect(() => readConfig([...required, 'extra'], {})).toThrow(/extra/)
})

test('help names every setting and its environment name', () => {
  expect(readConfig(['--help'], {})).toBe('help')
  expect(agentHelp()).toMatchSnapshot()
})
