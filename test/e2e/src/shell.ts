/**
 * A shell a person keeps open: variables and background jobs stay from one block of commands to the next.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { cliMain, environment, type Actor } from './actors.ts'

/** What one block printed and how it ended. */
export interface BlockResult {
  code: number
  /** stdout and stderr as a person sees them. */
  output: string
}

/** An open shell. */
export interface Shell extends AsyncDisposable {
  /** Runs a block to its end. The first command that fails ends it, as with `set -e`. */
  run: (block: string, timeoutMs?: number) => Promise<BlockResult>
  /** Runs a block in the background and resolves when it has printed `ready`. */
  background: (block: string, ready: RegExp, timeoutMs?: number) => Promise<void>
}

const defaultTimeoutMs = 90_000

/** Directory with the programs a page names, as commands. */
function makeCommands(directory: string, kubectl: string): string {
  const bin = join(directory, 'bin')
  mkdirSync(bin, { recursive: true })
  const commands = {
    sallyport: `exec '${process.execPath}' '${cliMain}' "$@"`,
    kubectl: `exec '${kubectl}' "$@"`,
  }
  for (const [name, body] of Object.entries(commands)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  return bin
}

/** Opens a bash for an actor with `sallyport` and `kubectl` on its PATH. */
export function openShell(
  actor: Actor,
  options: { kubectl: string; env?: Record<string, string | undefined> },
): Shell {
  const bin = makeCommands(actor.home, options.kubectl)
  const env = environment(actor, {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    ...options.env,
  })
  const bash = ['bash', '--noprofile', '--norc']
  const words =
    actor.netns === undefined ? bash : ['nsenter', `--net=/run/netns/${actor.netns}`, '--', ...bash]
  const child = spawn('env', words, {
    env: { ...process.env, ...env },
    cwd: actor.home,
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own group, so that its background jobs end with it.
    detached: true,
  })
  const screen = watchScreen(child)
  // Job control: a background job is a process group of its own, and hears Ctrl-C as in a terminal.
  child.stdin.write('exec 2>&1\nset -m\n')
  return {
    run: async (block, timeoutMs = defaultTimeoutMs) => {
      const mark = randomBytes(8).toString('hex')
      const from = screen.text().length
      // errexit in a function called under || would not count; a trap tells the code without ending the shell.
      child.stdin.write(
        `__code=0\n__run() {\n${failFast(block)}\n}\n__run; __code=$?\nprintf '\\n${mark} %d\\n' "$__code"\n`,
      )
      const match = await screen.waitFor(new RegExp(`\\n${mark} (\\d+)\\n`), timeoutMs)
      return { code: Number(match[1]), output: screen.text().slice(from, match.index) }
    },
    background: async (block, ready, timeoutMs = defaultTimeoutMs) => {
      const from = screen.text().length
      child.stdin.write(`{\n${block}\n} </dev/null &\n`)
      await screen.waitFor(ready, timeoutMs, from)
    },
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.stdin.end('for job in $(jobs -p); do kill -INT -- -$job; done; wait\nexit\n')
      const timer = setTimeout(() => {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      }, 15_000)
      await ended
      clearTimeout(timer)
    },
  }
}

/** `set -e` for the commands of one block at the top level of a function: each line that is complete ends it on failure. */
function failFast(block: string): string {
  return `set -o errtrace\ntrap 'return $?' ERR\n${block}\ntrap - ERR`
}

type ShellProcess = ChildProcessByStdio<Writable, Readable, Readable>

function watchScreen(child: ShellProcess) {
  let text = ''
  const watchers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more
      for (const watcher of watchers) watcher()
    })
  }
  const waitFor = (pattern: RegExp, timeoutMs: number, from = 0): Promise<RegExpExecArray> => {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
    const look = (): void => {
      const match = pattern.exec(from === 0 ? text : text.slice(from))
      if (match !== null) resolve(match)
    }
    const fail = (why: string): void => {
      reject(new Error(`${why}: the shell shows\n${text.slice(-4_000)}`))
    }
    const ended = (): void => {
      fail('the shell ended')
    }
    const timer = setTimeout(() => {
      fail(`no ${String(pattern)} within ${timeoutMs} ms`)
    }, timeoutMs)
    watchers.add(look)
    child.once('close', ended)
    look()
    return promise.finally(() => {
      clearTimeout(timer)
      watchers.delete(look)
      child.off('close', ended)
    })
  }
  return { text: () => text, waitFor }
}
