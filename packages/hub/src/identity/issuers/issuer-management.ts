/**
 * What the API does with outside issuers: shown without secrets, saved only after a check, deleted with their sign-ins.
 * @module
 */
import {
  outsideCallbackPath,
  SallyportError,
  type Issuer,
  type IssuerCheck,
  type IssuerPut,
  type IssuerSettings,
} from '@sallyport/protocol'
import type { Store } from '../../store/store.ts'
import { checkIssuerSettings, type CheckParts } from './issuer-check.ts'
import type { IssuerSecrets } from './issuer-secrets.ts'
import { findIssuer, listIssuers, removeIssuer, saveIssuer } from './issuer-store.ts'
import { resolveIssuer, type OutsideIssuer } from './outside-issuer.ts'

/** Outside issuers as the API manages them. */
export interface IssuerManagement {
  list: () => Promise<Issuer[]>
  /** @throws SallyportError ERR_ARM_NOT_FOUND. */
  get: (alias: string) => Promise<Issuer>
  /** @throws SallyportError ERR_ISSUER_CHECK naming the first step that failed, ERR_ARM_CONFLICT, ERR_ARM_INVALID_REQUEST. */
  put: (
    alias: string,
    body: IssuerPut,
  ) => Promise<{ issuer: Issuer; created: boolean; checks: IssuerCheck[] }>
  /** Whether it was there. */
  remove: (alias: string) => Promise<boolean>
  check: (alias: string, settings: IssuerSettings) => Promise<IssuerCheck[]>
}

/** What management is made from. */
export interface ManagementParts extends Omit<CheckParts, 'clientSecretOf'> {
  store: Store
  secrets: IssuerSecrets
  publicUrl: string
  /** Called after a commit that agents have to hear of. */
  onChange: () => void
}

/** Makes it. */
export function createIssuerManagement(parts: ManagementParts): IssuerManagement {
  const { store, secrets } = parts
  const view = (issuer: OutsideIssuer): Issuer => show(parts, issuer)
  return {
    list: async () => (await listIssuers(store.db)).map(view),
    get: async (alias) => {
      const found = await findIssuer(store.db, { alias })
      if (found === undefined) {
        throw new SallyportError('ERR_ARM_NOT_FOUND', `there is no outside issuer '${alias}'`, {
          remedy: 'list what there is: sallyport issuer list',
        })
      }
      return view(found)
    },
    put: (alias, body) => put(parts, alias, body),
    remove: async (alias) => {
      const isRemoved = await store.transaction((trx) => removeIssuer(trx, alias, parts.now()))
      secrets.remove(alias)
      if (isRemoved) parts.onChange()
      return isRemoved
    },
    check: (alias, settings) =>
      checkIssuerSettings(
        { ...parts, clientSecretOf: secrets.read },
        resolveIssuer(alias, settings, { createdAt: 0, modifiedAt: 0 }),
      ),
  }
}

async function put(
  parts: ManagementParts,
  alias: string,
  { clientSecret, skipCheck, ...settings }: IssuerPut,
): ReturnType<IssuerManagement['put']> {
  const { store, secrets } = parts
  const now = parts.now()
  const candidate = resolveIssuer(alias, settings, { createdAt: now, modifiedAt: now })
  const checks =
    skipCheck === true
      ? []
      : await checkIssuerSettings(
          {
            ...parts,
            clientSecretOf: () =>
              clientSecret === undefined ? secrets.read(alias) : (clientSecret ?? undefined),
          },
          candidate,
        )
  const failed = checks.find((check) => check.status === 'fail')
  if (failed !== undefined) throw checkFailed(failed)
  // The secret first: a crash in between leaves the issuer as it was, with the secret of the next attempt.
  if (typeof clientSecret === 'string') secrets.write(alias, clientSecret)
  const saved = await store.transaction((trx) => saveIssuer(trx, alias, { settings, now }))
  if (clientSecret === null) secrets.remove(alias)
  parts.onChange()
  return { issuer: show(parts, saved.issuer), created: saved.created, checks }
}

function checkFailed({ name, cause, fix }: IssuerCheck): SallyportError {
  return new SallyportError(
    'ERR_ISSUER_CHECK',
    `the issuer was not saved: the check '${name}' failed: ${cause ?? ''}`,
    { target: name, ...(fix === undefined ? {} : { remedy: fix }) },
  )
}

function show({ secrets, publicUrl }: ManagementParts, issuer: OutsideIssuer): Issuer {
  return {
    ...issuer.settings,
    alias: issuer.alias,
    displayName: issuer.displayName,
    enabled: issuer.enabled,
    scopes: [...issuer.scopes],
    groupsPrefix: issuer.groupsPrefix,
    hasClientSecret: secrets.read(issuer.alias) !== undefined,
    redirectUri: `${publicUrl}${outsideCallbackPath}`,
    createdDateTime: new Date(issuer.createdAt).toISOString(),
    lastModifiedDateTime: new Date(issuer.modifiedAt).toISOString(),
  }
}
