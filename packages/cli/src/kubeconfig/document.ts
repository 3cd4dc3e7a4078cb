/**
 * A kubeconfig as text and as tree: the tree says where things stand, all changes are made in the text, so that every byte of others survives.
 * @module
 */
import {
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { SallyportError, limits } from '@sallyport/protocol'

/** The lists of named entries. */
export const entryLists = ['clusters', 'contexts', 'users'] as const
export type EntryList = (typeof entryLists)[number]

/** A parsed kubeconfig. `root` is undefined for an empty file. */
export interface Kubeconfig {
  path: string
  text: string
  document: Document.Parsed
  root: YAMLMap | undefined
}

/**
 * Parses a kubeconfig.
 * @throws SallyportError ERR_KUBECONFIG naming file, line and reason.
 */
export function parseKubeconfig(path: string, text: string): Kubeconfig {
  if (text.length > limits.kubeconfigBytes) throw invalid(path, 'it is too large')
  const document = parseDocument(text, { keepSourceTokens: true, prettyErrors: true })
  const [error] = document.errors
  if (error !== undefined) {
    throw invalid(path, error.message.split('\n')[0]?.replace(/:$/, '') ?? 'it is not YAML')
  }
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return { path, text, document, root: undefined }
  }
  if (!isMap(contents)) throw invalid(path, 'it is not a mapping with clusters, contexts and users')
  const root = contents as YAMLMap
  for (const list of entryLists) checkList(path, list, root.get(list, true))
  const current = root.get('current-context')
  if (current !== undefined && current !== null && typeof current !== 'string') {
    throw invalid(path, 'current-context is not a text')
  }
  return { path, text, document, root }
}

function checkList(path: string, list: EntryList, node: unknown): void {
  if (node === undefined || (isScalar(node) && node.value === null)) return
  if (!isSeq(node)) throw invalid(path, `${list} is not a list`)
  for (const item of node.items) {
    if (!isMap(item) || typeof item.get('name') !== 'string') {
      throw invalid(path, `${list} has an entry without a name`)
    }
  }
}

function invalid(path: string, why: string): SallyportError {
  return new SallyportError('ERR_KUBECONFIG', `the kubeconfig ${path} cannot be used`, {
    why,
    remedy: `correct it, or choose another file with -f: kubectl config view --kubeconfig '${path}'`,
    target: path,
  })
}

/** Names of a list, in order. */
export function entryNames(config: Kubeconfig, list: EntryList): string[] {
  return (sequence(config, list)?.items ?? []).map((item) => nameOf(item))
}

/** Name of an entry of a checked list. */
export function nameOf(item: unknown): string {
  const name = isMap(item) ? item.get('name') : undefined
  return typeof name === 'string' ? name : ''
}

/** The list as a sequence; undefined when absent or null. */
export function sequence(config: Kubeconfig, list: EntryList): YAMLSeq | undefined {
  const node = config.root?.get(list, true)
  return isSeq(node) ? node : undefined
}

/** The pair of a top-level key. */
export function pairOf(config: Kubeconfig, key: string): Pair | undefined {
  return config.root?.items.find((pair) => isScalar(pair.key) && pair.key.value === key)
}

/** `current-context`; undefined when absent or empty. */
export function currentContext(config: Kubeconfig): string | undefined {
  const value = config.root?.get('current-context')
  return typeof value === 'string' && value !== '' ? value : undefined
}
