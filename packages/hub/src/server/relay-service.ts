/**
 * The relay inside a server process: its log lines, its metrics, and its graceful end.
 * @module
 */
import type { Logger } from 'pino'
import { limits } from '@sallyport/protocol'
import type { RelayRule } from '../identity/relay-keys.ts'
import { Relay, type RelayStats } from '../relay/relay.ts'
import type { RelayEvent } from '../relay/relay-event.ts'
import type { HttpService } from './http-service.ts'
import { addRelayMetrics } from './metrics.ts'

/** Makes the relay of a service. */
export function createRelay(
  service: Pick<HttpService, 'publicUrl' | 'metrics'>,
  parts: { rules: RelayRule[]; log: Logger },
): Relay {
  const { host } = new URL(service.publicUrl)
  const relay = new Relay({
    rules: parts.rules,
    publicHost: () => host,
    onEvent: (event) => {
      logEvent(parts.log, event)
    },
  })
  addRelayMetrics(service.metrics, () => relay.stats())
  return relay
}

function logEvent(log: Logger, { type, ...fields }: RelayEvent): void {
  log.info({ event: `relay.${type}`, ...fields })
}

/** Sends listeners away, lets connections that carry bytes go on for `gracefulStopMs`, and ends the rest. */
export async function stopRelay(relay: Pick<Relay, 'drain' | 'stats' | 'close'>): Promise<void> {
  relay.drain()
  await quiet(() => relay.stats())
  await relay.close()
}

/** Resolves when nothing is spliced, when no byte moved for `relayQuietMs`, or at the deadline: an idle link never ends by itself. */
async function quiet(read: () => RelayStats): Promise<void> {
  const deadline = performance.now() + limits.gracefulStopMs
  let before = -1
  while (performance.now() < deadline) {
    const { rendezvous, waiting, bytesUp, bytesDown } = read()
    if ((rendezvous === 0 && waiting === 0) || bytesUp + bytesDown === before) return
    before = bytesUp + bytesDown
    await new Promise((resolve) => setTimeout(resolve, limits.relayQuietMs))
  }
}
