/**
 * A cluster owned by another process, which tests may kill.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A running `main.ts` and where its cluster is. */
export interface Owner {
  child: ChildProcess
  directory: string
  kubeconfig: string
  /** Exit code, once it has ended. */
  ended: Promise<number | null>
}

const program = join(import.meta.dirname, '..', 'src', 'main.ts')

/** Starts the command for people and resolves when it has printed its one line. */
export async function startOwner(...flags: string[]): Promise<Owner> {
  const child = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve)
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
  })
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve)
    child.once('exit', (code) => {
      reject(new Error(`owner ended with ${code ?? 'a signal'}: ${said}`))
    })
  })
  const kubeconfig = line.trim().replace('export KUBECONFIG=', '')
  return { child, directory: dirname(kubeconfig), kubeconfig, ended }
}

/** Numbers of the processes whose parent is `pid`. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid
      } catch {
        return false
      }
    })
    .map(Number)
}

/** Kills the watchdog of an owner, as a machine out of memory might. */
export function killWatchdog(pid: number): void {
  const watchdog = childrenOf(pid).find((child) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('cat >/dev/null'),
  )
  if (watchdog === undefined) throw new Error(`process ${pid} has no watchdog`)
  process.kill(-watchdog, 'SIGKILL')
}
