/**
 * The account as `account show`, `account list` and `whoami` print it; never a secret.
 * @module
 */
import { accountName, accountsAt, type HubProfile } from '../credentials/profile.ts'
import { readSecrets, secretsKey } from '../credentials/secrets.ts'
import { column, type Column } from '../output/table.ts'
import type { JsonObject } from '../output/value.ts'

/** A hub once for each of its accounts, the one in use first. */
export function accountsOf(hub: HubProfile): HubProfile[] {
  return accountsAt(hub).map((account) => ({ ...hub, account }))
}

/** Fields az users know (`id` is the subscription), and ours. */
export function accountView(
  configDirectory: string,
  hub: HubProfile,
  isDefault: boolean,
): JsonObject {
  const secrets = readSecrets(configDirectory, secretsKey(hub))
  const expiresAt = secrets?.expiresAt
  return {
    id: hub.subscriptionId ?? null,
    name: hub.subscriptionName ?? null,
    tenantId: hub.tenantId,
    hub: hub.origin,
    isDefault,
    signedIn: secrets !== undefined,
    user: {
      name: hub.account === undefined ? null : accountName(hub.account),
      type: hub.account?.type ?? null,
      objectId: hub.account?.objectId ?? null,
    },
    tokenExpiresOn: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
  }
}

const user = (row: JsonObject) => row['user'] as Record<string, string | null>

/** Columns of its table. */
export const accountColumns: Column[] = [
  column('HUB', 'hub'),
  { header: 'ACCOUNT', text: (row) => user(row)['name'] ?? '' },
  { header: 'OBJECT', text: (row) => user(row)['objectId'] ?? '' },
  column('SUBSCRIPTION', 'id'),
  column('TENANT', 'tenantId'),
  { header: 'DEFAULT', text: (row) => (row['isDefault'] === true ? 'yes' : '') },
]
