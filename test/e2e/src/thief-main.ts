/**
 * What somebody can do who has stolen a whole credential of a cluster, its token and relay ticket, but no private key.
 * Standard input: `SallyportCredential` as JSON; standard output: how far each attempt came.
 * @module
 */
import { readFileSync } from 'node:fs'
import { clusterHash, isSallyportError, type SallyportCredential } from '@sallyport/protocol'
import { createLinkIdentity, dialRendezvous, openClientLink } from '@sallyport/tunnel'

const credential = JSON.parse(readFileSync(0, 'utf8')) as SallyportCredential
const ca = readFileSync(process.env['HUB_CA_FILE'] ?? '', 'utf8')
const signal = AbortSignal.timeout(20_000)

/** Opens a link with a key of the thief's own, and tries to bind, or to use it unbound. */
async function attempt(what: 'bind' | 'stream'): Promise<string> {
  const [relay] = credential.relays
  if (relay === undefined) throw new Error('the credential names no relay')
  const identity = await createLinkIdentity({ commonName: 'thief', validForMs: 600_000 })
  const { stream } = await dialRendezvous(relay, { ca, signal })
  const hash = await clusterHash(credential.clusterId)
  const link = await openClientLink(stream, {
    identity,
    serverName: `${hash.slice(0, 32)}.sallyport.internal`,
    checkAgentKey: () => undefined,
    signal,
    nextStreamId: () => 1,
  })
  try {
    if (what === 'bind') await link.bind(credential.clusterToken, signal)
    else {
      const tried = link.openStream()
      tried.write('GET /api HTTP/1.1\r\nhost: kubernetes\r\n\r\n')
      for await (const chunk of tried) return `answered: ${String(chunk).slice(0, 40)}`
    }
    return 'let in'
  } catch (error) {
    return isSallyportError(error) ? error.code : `failed: ${String(error)}`
  } finally {
    link.destroy()
  }
}

const result = { bind: await attempt('bind'), stream: await attempt('stream') }
process.stdout.write(JSON.stringify(result))
process.exit(0)
