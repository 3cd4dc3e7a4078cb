/**
 * Everything of outside issuers for one hub, put together.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { limits, outsideCallbackPath } from '@sallyport/protocol'
import type { Store } from '../../store/store.ts'
import { createIssuerManagement } from './issuer-management.ts'
import { issuerSecrets } from './issuer-secrets.ts'
import { findIssuer } from './issuer-store.ts'
import { createOutsideFetch } from './outside-fetch.ts'
import { listSignInOptions, registerOutsideSignIn, type SignInHooks } from './outside-sign-in.ts'
import { createRemoteKeys } from './remote-keys.ts'

/** What it is made from. */
export interface OutsideIdentityParts {
  store: Store
  dataDirectory: string
  publicUrl: string
  /** PEM certificates of authorities that issuers may have besides the public ones. */
  authorities: readonly string[]
  log: Logger
  /** Called after a commit that agents have to hear of. */
  onChange: () => void
  now: () => number
}

/** Makes the fetch, the management of issuers, and the way people sign in with them. */
export function createOutsideIdentity(parts: OutsideIdentityParts) {
  const { store, publicUrl, authorities } = parts
  const fetch = createOutsideFetch({ authorities })
  const secrets = issuerSecrets(parts.dataDirectory)
  const keys = createRemoteKeys({
    fetch,
    now: parts.now,
    keyHosts: async (issuer) => (await findIssuer(store.db, { issuer }))?.hosts ?? [],
  })
  return {
    /** How the hub asks outside issuers. */
    fetch,
    management: createIssuerManagement({ ...parts, fetch, keys, secrets }),
    listSignInOptions: () => listSignInOptions(store),
    /** Serves the way to the issuers and back. */
    register: (app: FastifyInstance, hooks: SignInHooks): void => {
      registerOutsideSignIn(app, {
        ...parts,
        hooks,
        relyingParty: {
          fetch,
          graphFetch: createOutsideFetch({ authorities, maxBytes: limits.graphAnswerBytes }),
          keys,
          redirectUri: `${publicUrl}${outsideCallbackPath}`,
          clientSecretOf: secrets.read,
          now: parts.now,
        },
      })
    },
  }
}
