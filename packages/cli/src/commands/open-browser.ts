/**
 * The browser of the person at this machine: whether there is one, and how it is started.
 * @module
 */
import { spawn } from 'node:child_process'

const isSet = (text: string | undefined) => text !== undefined && text !== ''

/** Where a browser would open: `here`, on a machine the person is only connected to, or `nowhere`. */
export function browserPlace(env: NodeJS.ProcessEnv): 'here' | 'remote' | 'nowhere' {
  const isRemote = isSet(env['SSH_CONNECTION']) || isSet(env['SSH_TTY']) || isSet(env['SSH_CLIENT'])
  const hasDisplay =
    process.platform !== 'linux' || isSet(env['DISPLAY']) || isSet(env['WAYLAND_DISPLAY'])
  if (!isSet(env['BROWSER']) && !hasDisplay) return 'nowhere'
  return isRemote ? 'remote' : 'here'
}

/** Whether a program runs this, and no person looks at it. */
export function isUnattended(env: NodeJS.ProcessEnv): boolean {
  return isSet(env['CI']) && env['CI'] !== 'false' && env['CI'] !== '0'
}

/** The words that open an address: `BROWSER` as other programs read it (a list by colons, `%s` for the address), else the system's. */
export function browserCommand(env: NodeJS.ProcessEnv, address: string): string[] {
  const [wanted] = (env['BROWSER'] ?? '').split(':').filter((entry) => entry.trim() !== '')
  if (wanted !== undefined) {
    const words = wanted.trim().split(/\s+/)
    const hasPlace = words.some((word) => word.includes('%s'))
    const filled = words.map((word) => word.replaceAll('%s', address))
    return hasPlace ? filled : [...filled, address]
  }
  if (process.platform === 'darwin') return ['open', address]
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', address]
  return ['xdg-open', address]
}

/** Starts the browser and does not wait for its end. Rejects when it cannot be started. */
export function openBrowser(env: NodeJS.ProcessEnv, address: string): Promise<void> {
  const [program = '', ...words] = browserCommand(env, address)
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: 'ignore', detached: true, env })
    child.once('error', reject)
    child.once('spawn', () => {
      child.unref()
      resolve()
    })
  })
}
