/**
 * Where the CLI keeps its files.
 * @module
 */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The directories of one user. */
export interface Directories {
  /** Profile, credentials, known clusters: mode 0700. */
  config: string
  /** State of agents started here. */
  agents: string
  home: string
}

const set = (text: string | undefined) => (text === undefined || text === '' ? undefined : text)

/** SALLYPORT_CONFIG_DIR, else XDG_CONFIG_HOME/sallyport, else ~/.config/sallyport; agents under XDG_DATA_HOME. */
export function directories(env: NodeJS.ProcessEnv): Directories {
  const home = set(env['HOME']) ?? set(env['USERPROFILE']) ?? homedir()
  const configHome = set(env['XDG_CONFIG_HOME']) ?? join(home, '.config')
  const dataHome = set(env['XDG_DATA_HOME']) ?? join(home, '.local', 'share')
  return {
    home,
    config: resolve(set(env['SALLYPORT_CONFIG_DIR']) ?? join(configHome, 'sallyport')),
    agents: join(dataHome, 'sallyport', 'agents'),
  }
}
