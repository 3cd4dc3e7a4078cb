/**
 * The programs of this package: the hub, and the relay alone. The only place that wires parts together.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { setDefaultHighWaterMark } from 'node:stream'
import type { Logger } from 'pino'
import { limits, version } from '@sallyport/protocol'
import { signSasToken } from '@sallyport/tunnel'
import { registerApi } from './api/register-api.ts'
import { hubConfig, type HubConfig } from './config/hub-config.ts'
import { hubProgram, relayProgram } from './config/hub-fields.ts'
import { configError, loadConfig, type LoadedConfig } from './config/load.ts'
import type { ConfigProgram } from './config/program.ts'
import { relayConfig, type RelayConfig } from './config/relay-config.ts'
import { renderConfig, renderHelp } from './config/render.ts'
import { derivedPublicUrl } from './config/server-config.ts'
import {
  createFirstAdministrator,
  resetAdministrator,
  type Deliver,
} from './identity/first-administrator.ts'
import { createIdentity, loadKeys, type IdentityParts } from './identity/identity.ts'
import { readAuthorities } from './identity/issuers/authorities.ts'
import { createOutsideIdentity } from './identity/issuers/outside-identity.ts'
import { assignmentsVersion } from './authorization/agent-assignments.ts'
import { watchExpiries } from './authorization/assignment-expiry.ts'
import { outsideHooks } from './identity/sign-in/outside-hooks.ts'
import { createRelayAccess } from './identity/relay-access.ts'
import { loadRelayRules, type RelayRule } from './identity/relay-keys.ts'
import { fixSetting } from './identity/settings.ts'
import { createRelay, stopRelay } from './server/relay-service.ts'
import { ChangeFeed } from './registry/change-feed.ts'
import { disabledFeatures } from './registry/features.ts'
import { ensureSubscription } from './registry/subscriptions.ts'
import { prepareDataDirectory, writePrivateFile } from './server/data-directory.ts'
import { createHttpService, type HttpService } from './server/http-service.ts'
import { createLog } from './server/log.ts'
import { asExitCode, stopRequest, type ProgramOptions } from './server/program.ts'
import {
  administratorJson,
  administratorText,
  readyText,
  type StartupFacts,
} from './server/startup-text.ts'
import { certificateNames, loadTlsMaterial } from './server/tls-material.ts'
import { openStore, type Store } from './store/store.ts'

export type { ProgramOptions } from './server/program.ts'

const resetUsage = [
  '       sallyport hub reset-administrator [flags]   (hub stopped: a new secret for the first administrator)',
]

/**
 * Runs the hub until it is told to stop; `reset-administrator` before the flags gives the owner a new secret instead.
 * @returns the exit code.
 */
export function runHub(options: ProgramOptions): Promise<number> {
  return asExitCode(hubProgram.command, options, async () => {
    const [first, ...rest] = options.argv
    const isReset = first === 'reset-administrator'
    const loaded = readConfig(hubProgram, isReset ? { ...options, argv: rest } : options)
    if (loaded === undefined) return 0
    const config = hubConfig(loaded)
    if (isReset) await runReset(config, options)
    else await serveHub(config, options)
    return 0
  })
}

/** Runs a relay alone until it is told to stop. @returns the exit code. */
export function runRelay(options: ProgramOptions): Promise<number> {
  return asExitCode(relayProgram.command, options, async () => {
    const loaded = readConfig(relayProgram, options)
    if (loaded !== undefined) await serveRelay(relayConfig(loaded), options)
    return 0
  })
}

/** The configuration, or undefined when the arguments only asked for a text. */
function readConfig(program: ConfigProgram, options: ProgramOptions): LoadedConfig | undefined {
  const outcome = loadConfig(program, options)
  if (outcome.kind === 'run') return outcome.config
  const extra = program === hubProgram ? resetUsage : []
  options.stdout.write(
    outcome.kind === 'help' ? renderHelp(program, extra) : renderConfig(program, outcome.config),
  )
  return undefined
}

async function serveHub(config: HubConfig, options: ProgramOptions): Promise<void> {
  await using cleanUp = new AsyncDisposableStack()
  const stop = stopRequest(options.signal)
  cleanUp.defer(stop.dispose)
  setDefaultHighWaterMark(false, limits.relaySpliceHighWaterMarkBytes)
  const log = createLog(options.stderr, config.logLevel)
  prepareDataDirectory(config.dataDirectory)
  const store = await openStore({ directory: config.dataDirectory })
  cleanUp.defer(() => store.close())
  const ids = await fixIds(config, store)
  const keys = await loadKeys(config.dataDirectory, { store, tenantId: ids.tenantId })
  const service = await createHttpService({
    config,
    log,
    ping: () => store.ping(),
    now: Date.now,
  })
  cleanUp.defer(() => service.close())
  const relay = createRelay(service, { rules: keys.relayRules, log })
  cleanUp.defer(() => stopRelay(relay))
  const changes = new ChangeFeed()
  cleanUp.defer(() => {
    changes.close()
  })
  const common = { store, tenantId: ids.tenantId, changes, agentLeaseMs: config.agentLeaseMs }
  const outside = makeOutsideIdentity(config, service, { store, log, changes })
  const { fetch: outsideFetch, listSignInOptions } = outside
  const identity = makeIdentity(service, { ...common, keys, log, outsideFetch, listSignInOptions })
  await identity.register(service.app)
  outside.register(service.app, outsideHooks(identity.signIn, service.publicUrl))
  cleanUp.defer(identity.startUpkeep())
  identity.keyRotation.start()
  cleanUp.defer(() => identity.keyRotation.close())
  cleanUp.use(watchExpiries({ store, now: Date.now, changes, log }))
  registerApi(service.app, {
    ...common,
    publicUrl: service.publicUrl,
    location: { name: config.location, displayName: config.location },
    authenticate: identity.authenticate,
    clusterTokens: identity.clusterTokens,
    relayAccess: relayAccessOf(keys.relayRules, config.relays, service.publicUrl),
    keyRotation: identity.keyRotation,
    issuers: outside.management,
    rotateAccessTokenKeys: identity.rotateAccessTokenKeys,
    assignmentsVersion: (key) => assignmentsVersion(store.db, key, Date.now()),
    disabledFeatures: (key) => disabledFeatures(store.db, key),
    now: Date.now,
  })
  await service.open((...upgrade) => relay.handleUpgrade(...upgrade))
  const facts = { publicUrl: service.publicUrl, tls: service.tls, ...ids }
  await createFirstAdministrator(store, Date.now(), deliverTo(config, facts, options))
  options.stdout.write(readyText('hub', facts))
  log.info({ event: 'hub.ready', version, publicUrl: service.publicUrl })
  await stop.requested
  log.info({ event: 'hub.stopping' })
  // Long polls end with an answer instead of being waited for.
  changes.close()
  service.drain()
}

function makeOutsideIdentity(
  config: HubConfig,
  service: HttpService,
  { changes, ...parts }: { store: Store; log: Logger; changes: ChangeFeed },
) {
  return createOutsideIdentity({
    ...parts,
    dataDirectory: config.dataDirectory,
    publicUrl: service.publicUrl,
    authorities: readAuthorities(config.issuerCaFile),
    onChange: () => {
      changes.wake()
    },
    now: Date.now,
  })
}

function makeIdentity(
  service: HttpService,
  parts: Omit<IdentityParts, 'publicUrl' | 'onTokenAnswer' | 'onSignIn' | 'now'>,
) {
  return createIdentity({
    ...parts,
    publicUrl: service.publicUrl,
    onTokenAnswer: (result) => {
      service.metrics.tokens.inc({ result })
    },
    onSignIn: (result) => {
      service.metrics.signIns.inc({ result })
    },
    now: Date.now,
  })
}

function relayAccessOf(rules: RelayRule[], relays: string[] | undefined, publicUrl: string) {
  return createRelayAccess({
    rules,
    relays: relays ?? [publicUrl.replace(/^https/, 'wss')],
    sign: signSasToken,
    now: Date.now,
  })
}

async function serveRelay(config: RelayConfig, options: ProgramOptions): Promise<void> {
  await using cleanUp = new AsyncDisposableStack()
  const stop = stopRequest(options.signal)
  cleanUp.defer(stop.dispose)
  setDefaultHighWaterMark(false, limits.relaySpliceHighWaterMarkBytes)
  const log = createLog(options.stderr, config.logLevel)
  const rules = loadRelayRules(config.relayKeyFile)
  prepareDataDirectory(config.dataDirectory)
  const service = await createHttpService({ config, log, now: Date.now })
  cleanUp.defer(() => service.close())
  const relay = createRelay(service, { rules, log })
  cleanUp.defer(() => stopRelay(relay))
  await service.open((...upgrade) => relay.handleUpgrade(...upgrade))
  options.stdout.write(readyText('relay', service))
  log.info({ event: 'relay.ready', version, publicUrl: service.publicUrl, rules: rules.length })
  await stop.requested
  log.info({ event: 'relay.stopping' })
  service.drain()
}

async function runReset(config: HubConfig, options: ProgramOptions): Promise<void> {
  await using cleanUp = new AsyncDisposableStack()
  prepareDataDirectory(config.dataDirectory)
  const store = await openStore({ directory: config.dataDirectory })
  cleanUp.defer(() => store.close())
  const ids = await fixIds(config, store)
  const { host, port } = config.listen
  const publicUrl = config.publicUrl ?? derivedPublicUrl(host, port)
  const tls = await loadTlsMaterial(config, certificateNames(config, publicUrl), new Date())
  const deliver = deliverTo(config, { publicUrl, tls, ...ids }, options)
  await resetAdministrator(store, Date.now(), deliver)
}

/** Ids of this hub: fixed at the first start, the same ever after. */
async function fixIds(
  config: HubConfig,
  store: Store,
): Promise<{ tenantId: string; subscriptionId: string }> {
  const tenantId = await fixSetting(store.db, 'tenantId', {
    wanted: config.tenantId,
    make: randomUUID,
  })
  const subscriptionId = await ensureSubscription(store, {
    now: Date.now(),
    id: config.subscriptionId,
  })
  if (config.subscriptionId !== undefined && config.subscriptionId !== subscriptionId) {
    throw configError(hubProgram.command, [
      `--subscription-id: this data directory was made with ${subscriptionId}; leave the setting out, or use another directory`,
    ])
  }
  return { tenantId, subscriptionId }
}

/** Where administrator credentials go: the named file, else stdout. */
function deliverTo(config: HubConfig, facts: StartupFacts, options: ProgramOptions): Deliver {
  return (credentials) => {
    if (config.administratorFile === undefined) {
      options.stdout.write(administratorText(credentials, facts))
      return
    }
    writePrivateFile(config.administratorFile, administratorJson(credentials, facts))
    options.stdout.write(`administrator credentials are in ${config.administratorFile}\n`)
  }
}
