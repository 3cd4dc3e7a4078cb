/**
 * What hub and stand-alone relay have in common: certificate, socket, application, health, metrics, upgrades, and their end.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { Server } from 'node:https'
import type { Logger } from 'pino'
import { limits } from '@sallyport/protocol'
import { derivedPublicUrl, type ServerConfig } from '../config/server-config.ts'
import { attach, createApp } from './app.ts'
import { registerHealth } from './health.ts'
import {
  closeServer,
  createHttpsServer,
  listen,
  secureOptions,
  trackConnections,
} from './https-server.ts'
import { createMetrics, registerMetrics, type Metrics } from './metrics.ts'
import { certificateNames, loadTlsMaterial, type TlsMaterial } from './tls-material.ts'
import { attachUpgrades, type UpgradeHandler } from './upgrade.ts'

/** A bound server, before its routes are served. */
export interface HttpService {
  app: FastifyInstance
  metrics: Metrics
  publicUrl: string
  tls: TlsMaterial
  /** Serves: the routes registered until now, upgrades through `handle`. */
  open: (handle: UpgradeHandler) => Promise<void>
  /** From now on nothing new is accepted, and each answer is the last of its connection. */
  drain: () => void
  /** Resolves when all connections are closed; those left after `gracefulStopMs` are cut. */
  close: () => Promise<void>
}

/** What a service is made from. */
export interface HttpServiceParts {
  config: ServerConfig
  log: Logger
  ping?: () => Promise<void>
  now: () => number
}

/** Mints or reads the certificate, binds the address, and makes the application. */
export async function createHttpService(parts: HttpServiceParts): Promise<HttpService> {
  const { config, log } = parts
  const { host, port } = config.listen
  const names = certificateNames(config, config.publicUrl ?? derivedPublicUrl(host, port))
  const tls = await loadTlsMaterial(config, names, new Date(parts.now()))
  const server = createHttpsServer(tls)
  const boundPort = await listen(server, config.listen)
  const publicUrl = config.publicUrl ?? derivedPublicUrl(host, boundPort)
  const metrics = createMetrics()
  const connections = trackConnections(server)
  let draining: Promise<void> | undefined
  const drain = (): Promise<void> =>
    (draining ??= closeServer(server, connections, limits.gracefulStopMs))
  const app = createApp({ server, log, metrics, isDraining: () => draining !== undefined })
  registerHealth(app, {
    isDraining: () => draining !== undefined,
    ...(parts.ping === undefined ? {} : { ping: parts.ping }),
  })
  registerMetrics(app, metrics)
  const renewal = renewCertificate(server, parts, names)
  return {
    app,
    metrics,
    publicUrl,
    tls,
    open: async (handle) => {
      attachUpgrades(server, handle)
      await attach(app, server)
    },
    drain: () => void drain(),
    close: async () => {
      clearInterval(renewal)
      await drain()
      await app.close()
    },
  }
}

/** Looks at the certificate in intervals and shows a new one before the old expires; connections stay. */
function renewCertificate(
  server: Server,
  parts: HttpServiceParts,
  names: string[],
): NodeJS.Timeout {
  const check = async (): Promise<void> => {
    try {
      const tls = await loadTlsMaterial(parts.config, names, new Date(parts.now()))
      if (!tls.minted) return
      server.setSecureContext(secureOptions(tls))
      parts.log.info({ event: 'tls.renewed' })
    } catch (error) {
      parts.log.error({ event: 'tls.renewal', err: error }, 'the certificate cannot be renewed')
    }
  }
  return setInterval(() => void check(), limits.serverCertificateCheckIntervalMs).unref()
}
