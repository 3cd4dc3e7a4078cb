/**
 * Which kubeconfig files count, exactly as client-go has it (tools/clientcmd: ClientConfigLoadingRules).
 * @module
 */
import { existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { SallyportError } from '@sallyport/protocol'

/** Files of KUBECONFIG in order, else ~/.kube/config. */
export function kubeconfigFiles(env: NodeJS.ProcessEnv, home: string): string[] {
  const list = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  if (list.length === 0) return [join(home, '.kube', 'config')]
  return [...new Set(list.map((path) => resolve(path)))]
}

/** Where new entries go: the first file that exists, else the last one. */
export function destinationFile(files: readonly string[]): string {
  const destination = files.find((path) => existsSync(path)) ?? files.at(-1)
  if (destination === undefined)
    throw new SallyportError('ERR_KUBECONFIG', 'no kubeconfig is named')
  return destination
}
