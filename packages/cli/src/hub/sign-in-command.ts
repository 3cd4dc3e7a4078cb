/**
 * The line that signs in again as the same principal, for error texts.
 * @module
 */
import type { HubProfile } from '../credentials/profile.ts'

const proofs = {
  secret: '',
  certificate: ' --certificate FILE',
  federated: ' --federated-token-file FILE',
} as const

/** The command that signs in again as the same principal. */
export function signInCommand(
  profile: Pick<HubProfile, 'origin' | 'account' | 'tenantId'>,
): string {
  const { account, origin, tenantId } = profile
  if (account?.type !== 'servicePrincipal') return `sallyport login --hub ${origin}`
  const proof = proofs[account.method ?? 'secret']
  return `sallyport login --service-principal -u ${account.clientId}${proof} --tenant ${tenantId} --hub ${origin}`
}
