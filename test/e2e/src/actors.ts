/**
 * Who acts in a scenario: an operator at the site, a developer at a laptop; each has a home, a network and the CLI.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ok, run, start, type ProcessOptions, type ProcessResult, type Running } from './process.ts'

/** The CLI from source. */
export const cliMain = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url))

/** A person at a machine: plain data, so that it can be handed to the scenario processes. */
export interface Actor {
  home: string
  netns?: string
}

/** Makes the home of an actor. */
export function createActor(home: string, netns?: string): Actor {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  return netns === undefined ? { home } : { home, netns }
}

/** Environment of an actor: its own home, and nothing of the machine's trust or kubeconfig. */
export function environment(actor: Actor, more: Record<string, string | undefined> = {}) {
  return {
    HOME: actor.home,
    SALLYPORT_CONFIG_DIR: join(actor.home, '.config', 'sallyport'),
    KUBECONFIG: undefined,
    NODE_EXTRA_CA_CERTS: undefined,
    SSL_CERT_FILE: undefined,
    HTTPS_PROXY: undefined,
    HTTP_PROXY: undefined,
    https_proxy: undefined,
    http_proxy: undefined,
    NO_COLOR: '1',
    ...more,
  }
}

const optionsOf = (actor: Actor, options: ProcessOptions): ProcessOptions => ({
  ...options,
  ...(actor.netns === undefined ? {} : { netns: actor.netns }),
  env: environment(actor, options.env),
})

/** Runs the CLI as an actor, to its end, whatever the exit code. */
export function sallyport(
  actor: Actor,
  args: string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return run(process.execPath, [cliMain, ...args], optionsOf(actor, options))
}

/** Runs the CLI as an actor; it must succeed; returns stdout. */
export function sallyportOk(
  actor: Actor,
  args: string[],
  options: ProcessOptions = {},
): Promise<string> {
  return ok(process.execPath, [cliMain, ...args], optionsOf(actor, options))
}

/** Starts the CLI as an actor and leaves it running. */
export function sallyportStart(
  actor: Actor,
  args: string[],
  options: ProcessOptions = {},
): Running {
  return start(process.execPath, [cliMain, ...args], optionsOf(actor, options))
}

/** Runs any program as an actor. */
export function runAs(
  actor: Actor,
  [command = '', ...args]: string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return run(command, args, optionsOf(actor, options))
}

/** Starts any program as an actor. */
export function startAs(
  actor: Actor,
  [command = '', ...args]: string[],
  options: ProcessOptions = {},
): Running {
  return start(command, args, optionsOf(actor, options))
}
