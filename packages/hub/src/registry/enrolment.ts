/**
 * Enrolment: an onboarding key opens one chance for 24 hours; one SQL statement takes it (security M19: checking first and
 * marking later let 50 of 50 parallel callers win).
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely, Transaction } from 'kysely'
import { SallyportError, limits } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import type { Store } from '../store/store.ts'
import type { OnboardingKey } from './public-key.ts'
import type { EnrolmentTable } from './tables.ts'

/** Opens the chance for a key; a key that already had one changes nothing, an enrolled agent stays until it is taken. */
export async function openEnrolment(
  db: Kysely<Database>,
  chance: { clusterKey: string; key: OnboardingKey; now: number },
): Promise<void> {
  const fresh = {
    key_sha256: chance.key.sha256,
    public_key: chance.key.spki,
    expires_at: chance.now + limits.onboardingKeyTtlMs,
    redeemed_at: null,
    agent_key_sha256: null,
    link_key_sha256: null,
  }
  await db
    .insertInto('enrolments')
    .values({ cluster_key: chance.clusterKey, ...fresh })
    .onConflict((conflict) =>
      conflict
        .column('cluster_key')
        .doUpdateSet(fresh)
        .where('enrolments.key_sha256', '<>', chance.key.sha256),
    )
    .execute()
}

/** The enrolment of a cluster, whatever its state. */
export async function findEnrolment(
  db: Kysely<Database>,
  clusterKey: string,
): Promise<EnrolmentTable | undefined> {
  return db
    .selectFrom('enrolments')
    .selectAll()
    .where('cluster_key', '=', clusterKey)
    .executeTakeFirst()
}

/** An agent that wants in; its proof by the onboarding key has been checked. */
export interface Redemption {
  clusterKey: string
  /** SHA-256 of the onboarding key the proof was checked with. */
  onboardingKeySha256: string
  /** JWK, as JSON. */
  agentKey: string
  /** RFC 7638 thumbprint of `agentKey`. */
  agentKeySha256: string
  linkKeySha256: string
  kubernetesUid: string
  now: number
}

/**
 * Takes the chance and registers the agent in the place of the one before. The same agent asking again, because the answer got
 * lost, gets the same id (X088).
 * @throws SallyportError ERR_CLUSTER_ALREADY_CONNECTED when another Kubernetes cluster holds this resource,
 * ERR_ENROLMENT_REFUSED for every other reason.
 */
export async function redeemEnrolment(store: Store, input: Redemption): Promise<string> {
  return store.transaction(async (trx) => {
    const taken = await trx
      .updateTable('enrolments')
      .set({
        redeemed_at: input.now,
        agent_key_sha256: input.agentKeySha256,
        link_key_sha256: input.linkKeySha256,
      })
      .where('cluster_key', '=', input.clusterKey)
      .where('key_sha256', '=', input.onboardingKeySha256)
      .where('redeemed_at', 'is', null)
      .where('expires_at', '>', input.now)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('agents')
              .select('agents.agent_id')
              .whereRef('agents.cluster_key', '=', 'enrolments.cluster_key')
              .where('agents.kubernetes_uid', '<>', input.kubernetesUid),
          ),
        ),
      )
      .returning('cluster_key')
      .executeTakeFirst()
    return taken === undefined ? explain(trx, input) : register(trx, input)
  })
}

async function register(trx: Transaction<Database>, input: Redemption): Promise<string> {
  const agentId = randomUUID()
  await trx.deleteFrom('agents').where('cluster_key', '=', input.clusterKey).execute()
  await trx.deleteFrom('presence').where('cluster_key', '=', input.clusterKey).execute()
  await trx
    .insertInto('agents')
    .values({
      agent_id: agentId,
      cluster_key: input.clusterKey,
      agent_key: input.agentKey,
      link_key_sha256: input.linkKeySha256,
      kubernetes_uid: input.kubernetesUid,
      enrolled_at: input.now,
    })
    .execute()
  return agentId
}

/** The chance was not there: the same agent again, another cluster, or no. */
async function explain(trx: Transaction<Database>, input: Redemption): Promise<string> {
  const agent = await trx
    .selectFrom('agents')
    .selectAll()
    .where('cluster_key', '=', input.clusterKey)
    .executeTakeFirst()
  const enrolment = await findEnrolment(trx, input.clusterKey)
  const sameKey = enrolment?.key_sha256 === input.onboardingKeySha256
  if (!sameKey || agent === undefined) throw refused()
  if (agent.kubernetes_uid !== input.kubernetesUid) {
    if (enrolment.redeemed_at !== null || enrolment.expires_at <= input.now) throw refused()
    throw new SallyportError(
      'ERR_CLUSTER_ALREADY_CONNECTED',
      'another Kubernetes cluster is connected under this name',
      { target: 'kubernetesUid' },
    )
  }
  const sameAgent =
    enrolment.agent_key_sha256 === input.agentKeySha256 &&
    enrolment.link_key_sha256 === input.linkKeySha256
  if (!sameAgent) throw refused()
  return agent.agent_id
}

/** One text for every reason: which one it was is nobody's business who holds no valid key. */
export function refused(cause?: unknown): SallyportError {
  return new SallyportError('ERR_ENROLMENT_REFUSED', 'this enrolment is not possible', { cause })
}
