/**
 * A proxy's entries in a kubeconfig for as long as it runs: checked before, written, and taken back so that the file is as before.
 * @module
 */
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { SallyportError } from '@sallyport/protocol'
import { fileError } from '../credentials/file-error.ts'
import { withFileLock } from '../credentials/file-lock.ts'
import { readOpenFile, resolveLink, writePrivateFile } from '../credentials/private-file.ts'
import { identify } from '../credentials/process-identity.ts'
import { currentContext, entryLists, parseKubeconfig, type Kubeconfig } from './document.ts'
import { insertEntries } from './insert.ts'
import { markOf, proxyEntries, proxyEntryNames, type ProxyAccess } from './proxy-entry.ts'
import { isLive, readRecords, removeRecord, writeRecord, type ProxyRecord } from './proxy-record.ts'
import { hasEntries, removeEntries, restoreCurrent, type IsMeant } from './remove.ts'
import { applyEdits } from './text-edit.ts'

/** Where and how a proxy writes. */
export interface LeaseOptions {
  configDirectory: string
  /** Files whose names may not be taken; `file` is one of them. */
  files: readonly string[]
  file: string
  context: string
  /** Entries of others under the same names are replaced. */
  overwrite: boolean
  setCurrent: boolean
  /** Entries stay after the end. */
  keep: boolean
  signal: AbortSignal
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** File names as the proxies compare them. */
const canonical = (path: string) => resolveLink(resolve(path))

/**
 * Cleans what dead proxies left, and checks that file and names may be written. Changes nothing else.
 * @throws SallyportError ERR_FILE_ACCESS, ERR_KUBECONFIG, ERR_KUBECONFIG_CONFLICT.
 */
export async function checkLease(options: LeaseOptions): Promise<void> {
  checkWritable(options.file)
  await cleanUpDead(options)
  await withFileLock(options.file, options, () => {
    for (const file of options.files) {
      const text = readOpenFile(file)
      if (text !== undefined) refuseForeign(parseKubeconfig(file, text), options)
    }
  })
}

/** A rename would replace a file whatever its mode: one that nobody may write is left alone. */
function checkWritable(file: string): void {
  const target = canonical(file)
  try {
    const old = statSync(target, { throwIfNoEntry: false })
    if (old !== undefined) {
      accessSync(target, constants.R_OK | constants.W_OK)
      if ((old.mode & 0o222) === 0)
        throw Object.assign(new Error('read-only'), { code: 'EREADONLY' })
    }
    let directory = dirname(target)
    while (!existsSync(directory)) directory = dirname(directory)
    accessSync(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw fileError(file, 'write', error)
  }
}

const isNamedAs =
  (context: string): IsMeant =>
  (entry, list) =>
    entry['name'] === (proxyEntryNames(context) as Record<string, string>)[list]

/** Whether somebody else wrote an entry of these names. */
function hasForeign(config: Kubeconfig, context: string): boolean {
  const isNamed = isNamedAs(context)
  return hasEntries(
    config,
    (entry, list) => isNamed(entry, list) && markOf(entry, list) === undefined,
  )
}

function refuseForeign(config: Kubeconfig, options: LeaseOptions): void {
  if (options.overwrite) return
  const { context } = options
  const live = readRecords(options.configDirectory).find(
    (record) =>
      record.file === canonical(config.path) && record.context === context && isLive(record),
  )
  if (live !== undefined) {
    throw new SallyportError(
      'ERR_KUBECONFIG_CONFLICT',
      `another proxy (process ${live.pid}) uses context '${context}'`,
      {
        remedy: `use it, or choose another name: --kube-context NAME`,
      },
    )
  }
  if (!hasForeign(config, context)) return
  throw new SallyportError(
    'ERR_KUBECONFIG_CONFLICT',
    `${config.path} has a context '${context}' that sallyport did not write`,
    {
      remedy: 'pass --overwrite, or --kube-context NAME for another name',
    },
  )
}

/** Entries in a kubeconfig; `release` takes them back. */
export interface Lease {
  file: string
  /** Name that current-context had before, when it was changed. */
  previous: string | undefined
  release: () => Promise<void>
}

/** Writes the entries. @throws SallyportError as `checkLease`; the file is then unchanged. */
export async function takeLease(options: LeaseOptions, access: ProxyAccess): Promise<Lease> {
  const { configDirectory, file } = options
  const { record, original } = await withFileLock(file, options, () => {
    const before = readOpenFile(file)
    const config = parseKubeconfig(file, before ?? '')
    refuseForeign(config, options)
    const replaced = hasEntries(config, isNamedAs(access.context))
    const cleared = replaced ? removeEntries(config, isNamedAs(access.context)) : config.text
    const base = replaced ? parseKubeconfig(file, cleared) : config
    const { text, reverse } = insertEntries(base, {
      entries: proxyEntries(access),
      ...(options.setCurrent ? { current: access.context } : {}),
    })
    checkResult(base, text, access)
    const previous = currentContext(config)
    const made: ProxyRecord = {
      version: 1,
      id: access.proxyId,
      ...(identify(process.pid) ?? { pid: process.pid }),
      file: canonical(file),
      context: access.context,
      ...(previous === undefined ? {} : { previous }),
      isCurrent: options.setCurrent,
      created: before === undefined,
      sha256: sha256(text),
      reverse,
      ...(options.keep ? { keep: true } : {}),
    }
    writeRecord(configDirectory, made)
    writePrivateFile(file, text)
    // What --overwrite replaced comes back; an entry a dead proxy left does not.
    return { record: made, original: hasForeign(config, access.context) ? before : undefined }
  })
  return {
    file,
    previous: options.setCurrent ? record.previous : undefined,
    release: () => release(configDirectory, record, original),
  }
}

/** What was written must read as what was there, and ours; or nothing is written. */
function checkResult(base: Kubeconfig, text: string, access: ProxyAccess): void {
  const after = parseKubeconfig(base.path, text)
  const isOurs = isNamedAs(access.context)
  const kept = parseKubeconfig(base.path, removeEntries(after, isOurs))
  const lists = (config: Kubeconfig) => {
    const value = (config.document.toJS({ maxAliasCount: 100 }) ?? {}) as Record<string, unknown>
    return JSON.stringify(entryLists.map((list) => value[list] ?? []))
  }
  if (lists(kept) === lists(base) && hasEntries(after, isOurs)) return
  throw new SallyportError(
    'ERR_KUBECONFIG',
    `${base.path} is written in a way that cannot be added to`,
    {
      remedy: 'use a file of its own: -f FILE',
    },
  )
}

/** Takes a record's entries back. An end is an end: it does not listen to Ctrl-C. `original` also has what --overwrite replaced. */
async function release(
  configDirectory: string,
  record: ProxyRecord,
  original?: string,
): Promise<void> {
  const signal = new AbortController().signal
  if (record.keep !== true) {
    await withFileLock(record.file, { signal }, () => {
      // Another proxy's end may have rewritten what this one found before.
      const own = readRecords(configDirectory).find(({ id }) => id === record.id) ?? record
      takeBack(own, original)
      if (own.isCurrent) relink(configDirectory, own)
    })
  }
  removeRecord(configDirectory, record.id)
}

function takeBack(record: ProxyRecord, original: string | undefined): void {
  const text = readOpenFile(record.file)
  if (text === undefined) return
  if (sha256(text) === record.sha256) {
    if (record.created) rmSync(record.file, { force: true })
    else writePrivateFile(record.file, original ?? applyEdits(text, record.reverse).text)
    return
  }
  const config = parseKubeconfig(record.file, text)
  const isOurs: IsMeant = (entry, list) => markOf(entry, list) === record.id
  if (!hasEntries(config, isOurs)) return
  const without = removeEntries(config, isOurs)
  const change = { from: record.context, previous: record.previous }
  writePrivateFile(
    record.file,
    record.isCurrent ? restoreCurrent(record.file, without, change) : without,
  )
}

/** A proxy that wants to go back to our context has to go back to the one before it. */
function relink(configDirectory: string, gone: ProxyRecord): void {
  for (const other of readRecords(configDirectory)) {
    if (other.id === gone.id || other.file !== gone.file || other.previous !== gone.context)
      continue
    const linked: ProxyRecord = { ...other }
    if (gone.previous === undefined) delete linked.previous
    else linked.previous = gone.previous
    writeRecord(configDirectory, linked)
  }
}

/** Takes back what proxies left that were killed, in every file they wrote. */
export async function cleanUpDead(options: {
  configDirectory: string
  signal: AbortSignal
}): Promise<void> {
  for (const record of readRecords(options.configDirectory)) {
    if (isLive(record)) continue
    try {
      await release(options.configDirectory, record)
    } catch {
      // A file that cannot be read now may be next time; it must not stop a proxy that writes elsewhere.
    }
  }
}

/** Removes every entry of dead or finished proxies to this context, as `delete` does. */
export async function removeContext(options: {
  configDirectory: string
  file: string
  context: string
  signal: AbortSignal
}): Promise<void> {
  await withFileLock(options.file, options, () => {
    const text = readOpenFile(options.file)
    if (text === undefined) return
    const config = parseKubeconfig(options.file, text)
    const isOurs: IsMeant = (entry, list) =>
      isNamedAs(options.context)(entry, list) && markOf(entry, list) !== undefined
    if (!hasEntries(config, isOurs)) return
    const change = { from: options.context, previous: undefined }
    writePrivateFile(
      options.file,
      restoreCurrent(options.file, removeEntries(config, isOurs), change),
    )
  })
}
