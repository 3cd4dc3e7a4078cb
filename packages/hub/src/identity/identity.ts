/**
 * Everything of identity for one hub: keys from their files, both issuers, the check of callers.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { limits } from '@sallyport/protocol'
import { dataPath } from '../server/data-directory.ts'
import type { ChangeFeed } from '../registry/change-feed.ts'
import type { Store } from '../store/store.ts'
import { createAuthenticator } from './access-token.ts'
import { registerCloudMetadata } from './cloud-metadata.ts'
import { ClusterKeys } from './cluster-keys.ts'
import { clusterTokenIssuer, createClusterTokens } from './cluster-tokens.ts'
import { cookieKeyKind } from './cookie-keys.ts'
import type { OutsideFetch } from './issuers/outside-fetch.ts'
import { createRemoteKeys } from './issuers/remote-keys.ts'
import { KeyRotation } from './key-rotation.ts'
import { ClientTickets } from './openid/client-tickets.ts'
import { adfsIssuer, tenantIssuer, type Issuer } from './openid/issuer.ts'
import { registerOpenIdEndpoints, type OpenIdEndpointParts } from './openid/openid-endpoints.ts'
import { createProvider } from './openid/provider.ts'
import { sweepOpenId } from './openid/sign-ins.ts'
import { loadOrMakeRelayRules, type RelayRule } from './relay-keys.ts'
import { RotatingKeys } from './rotating-keys.ts'
import {
  describeInteraction,
  findInteraction,
  finishSignIn,
  type InteractionParts,
  type OpenInteraction,
} from './sign-in/interaction.ts'
import { signingKeyKind, type PrivateJwk, type SigningKey } from './signing-key.ts'

/** All keys of a hub. */
export interface HubKeys {
  accessToken: RotatingKeys<PrivateJwk, SigningKey>
  clusterToken: ClusterKeys
  cookies: RotatingKeys<string, string>
  relayRules: RelayRule[]
}

/** Reads the keys, making those that are missing; `keys/` in the data directory. */
export async function loadKeys(
  dataDirectory: string,
  of: { store: Store; tenantId: string },
): Promise<HubKeys> {
  const path = (name: string): string => dataPath(dataDirectory, 'keys', name)
  const now = Date.now
  const clusterToken = await ClusterKeys.load({
    path: path('cluster-token.json'),
    issuer: clusterTokenIssuer(of.tenantId),
    store: of.store,
    now,
  })
  const accessToken = { path: path('access-token.json'), kind: signingKeyKind, now }
  const cookies = { path: path('cookies.json'), kind: cookieKeyKind, now }
  return {
    accessToken: await RotatingKeys.open(accessToken),
    clusterToken,
    cookies: await RotatingKeys.open(cookies),
    relayRules: loadOrMakeRelayRules(path('relay.json')),
  }
}

/** What identity is made from. */
export interface IdentityParts {
  store: Store
  keys: HubKeys
  publicUrl: string
  tenantId: string
  log: Logger
  /** How the hub asks outside issuers. */
  outsideFetch: OutsideFetch
  /** Outside issuers people may choose on the sign-in page. */
  listSignInOptions: OpenIdEndpointParts['listSignInOptions']
  onTokenAnswer: OpenIdEndpointParts['onTokenAnswer']
  onSignIn: OpenIdEndpointParts['onSignIn']
  changes: ChangeFeed
  agentLeaseMs: number
  now: () => number
}

/** Makes the parts of identity and the function that serves its endpoints. */
export function createIdentity(parts: IdentityParts) {
  const { publicUrl, tenantId, keys } = parts
  const tickets = new ClientTickets()
  const remoteKeys = createRemoteKeys({ fetch: parts.outsideFetch, now: parts.now })
  const tenant = rotatingIssuer(parts, tenantIssuer(publicUrl, tenantId), tickets)
  const adfs = rotatingIssuer(parts, adfsIssuer(publicUrl), tickets)
  return {
    authenticate: createAuthenticator({
      store: parts.store,
      keys: () => keys.accessToken.accepted,
      issuers: [tenant.issuer, adfs.issuer],
      audience: publicUrl,
      tenantId,
      now: parts.now,
    }),
    clusterTokens: createClusterTokens({
      issuer: clusterTokenIssuer(tenantId),
      keys: keys.clusterToken,
      now: parts.now,
    }),
    keyRotation: new KeyRotation({
      ...parts,
      keys: keys.clusterToken,
      leaseMs: parts.agentLeaseMs,
      onProblem: (err) => {
        parts.log.error({ event: 'keys.rotation_failed', err })
      },
    }),
    /** Keys of outside issuers. */
    remoteKeys,
    /** For sign-ins that were proved elsewhere, at an outside issuer. */
    signIn: signInOf({ store: parts.store, provider: tenant.provider }),
    register: async (app: FastifyInstance): Promise<void> => {
      registerCloudMetadata(app, { publicUrl, tenantId })
      const onChange = waking(parts)
      await registerOpenIdEndpoints(app, { ...parts, remoteKeys, tickets, tenant, adfs, onChange })
    },
    ...upkeep(parts),
  }
}

/** The sign-in under way in a browser: what it is, and its end. */
function signInOf(parts: InteractionParts) {
  return {
    /** Undefined when none is under way in this browser. */
    find: async (
      request: FastifyRequest,
      reply: FastifyReply,
    ): Promise<OpenInteraction | undefined> => {
      const found = await findInteraction(parts, request, reply)
      return found === undefined ? undefined : describeInteraction(found)
    },
    /** Ends it as the person `objectId` names. @throws SallyportError ERR_AUTH_EXPIRED, ERR_AUTH_FAILED. */
    finish: (
      request: FastifyRequest,
      reply: FastifyReply,
      objectId: string,
    ): Promise<FastifyReply> => finishSignIn(parts, { request, reply }, objectId),
  }
}

const waking =
  ({ changes }: IdentityParts) =>
  (): void => {
    changes.wake()
  }

/** An issuer whose provider is made anew whenever a key was replaced, and when an old key is over. */
function rotatingIssuer(
  parts: IdentityParts,
  from: Omit<Issuer, 'provider'>,
  tickets: ClientTickets,
): Issuer {
  const { accessToken, cookies } = parts.keys
  let made: { provider: ReturnType<typeof createProvider>; of: string } | undefined
  return {
    ...from,
    provider: () => {
      const keys = accessToken.accepted
      const cookieKeys = cookies.accepted
      const of = [...keys.map(({ kid }) => kid), ...cookieKeys].join(' ')
      if (made?.of !== of) {
        const provider = createProvider({
          ...parts,
          ...from,
          keys,
          cookieKeys,
          tickets,
          onChange: waking(parts),
        })
        made = { of, provider }
      }
      return made.provider
    },
  }
}

/** What is done from time to time: keys replaced by age, expired rows deleted. */
function upkeep({ keys, store, log, now }: IdentityParts) {
  const rotateWhenOld = async (): Promise<void> => {
    if (await keys.accessToken.rotateWhenOld()) log.info({ event: 'identity.key-rotated' })
    await keys.cookies.rotateWhenOld()
  }
  const attempt = (what: string, run: () => Promise<unknown>): void => {
    run().catch((error: unknown) => {
      log.error({ event: 'identity.upkeep', err: error }, what)
    })
  }
  return {
    /** Replaces the key that signs access tokens; tokens of the old one stay valid until they expire. */
    rotateAccessTokenKeys: async (retire?: 'now'): Promise<string> => {
      await keys.accessToken.rotate(retire)
      await keys.cookies.rotate(retire)
      return keys.accessToken.current.kid
    },
    /** Begins the upkeep; the result ends it. */
    startUpkeep: (): (() => void) => {
      attempt('rotate keys', rotateWhenOld)
      const timers = [
        setInterval(() => {
          attempt('rotate keys', rotateWhenOld)
        }, limits.signingKeyCheckIntervalMs),
        setInterval(() => {
          attempt('sweep', () => sweepOpenId(store.db, now()))
        }, limits.openIdSweepIntervalMs),
      ]
      for (const timer of timers) timer.unref()
      return () => {
        for (const timer of timers) clearInterval(timer)
      }
    },
  }
}
