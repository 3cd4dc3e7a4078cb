/**
 * Signing in an application: the client credentials grant with a secret, a certificate, or the token of another issuer (RFC 6749, 7523).
 * @module
 */
import type { ApplicationAccount } from '../credentials/profile.ts'
import type { FederatedSource, HubSecrets } from '../credentials/secrets.ts'
import { readClientCertificate, signAssertion } from './client-certificate.ts'
import { readFederatedToken, type FederatedContext } from './federated-token.ts'
import { askToken, type Form, type TokenAnswer } from './oauth.ts'
import type { HubTransport } from './transport.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** How an application proves itself. An `assertion` is a token given once, which cannot be renewed. */
export type ApplicationProof =
  | { method: 'secret'; clientSecret: string }
  | { method: 'certificate'; certificateFile: string }
  | { method: 'federated'; source: FederatedSource }
  | { method: 'federated'; assertion: string }

/** The proof that is kept, undefined when there is none to renew with. */
export function storedProof(secrets: HubSecrets): ApplicationProof | undefined {
  const { clientSecret, certificateFile, federated } = secrets
  if (clientSecret !== undefined) return { method: 'secret', clientSecret }
  if (certificateFile !== undefined) return { method: 'certificate', certificateFile }
  return federated === undefined ? undefined : { method: 'federated', source: federated }
}

/** What to keep of a proof. */
export function secretsOfProof(clientId: string, proof: ApplicationProof): HubSecrets {
  if (proof.method === 'secret') return { clientId, clientSecret: proof.clientSecret }
  if (proof.method === 'certificate') return { clientId, certificateFile: proof.certificateFile }
  return 'source' in proof ? { clientId, federated: proof.source } : { clientId }
}

/** The account of an application. */
export function applicationAccount(
  clientId: string,
  proof: ApplicationProof,
  objectId: string | undefined,
): ApplicationAccount {
  return {
    type: 'servicePrincipal',
    clientId,
    ...(objectId === undefined ? {} : { objectId }),
    method: proof.method,
  }
}

/** Asks for a token. @throws SallyportError when the hub is away or the proof cannot be read; a refusal is an answer. */
export async function askAsApplication(
  transport: HubTransport,
  endpoints: { tokenEndpoint: string; audience: string },
  request: { clientId: string; proof: ApplicationProof } & FederatedContext,
): Promise<TokenAnswer> {
  const { clientId, signal } = request
  const form = {
    grant_type: 'client_credentials',
    client_id: clientId,
    scope: `${endpoints.audience}/.default`,
    ...(await proofFields(endpoints.tokenEndpoint, request)),
  }
  return askToken(transport, endpoints.tokenEndpoint, { form, signal })
}

async function proofFields(
  tokenEndpoint: string,
  request: { clientId: string; proof: ApplicationProof } & FederatedContext,
): Promise<Form> {
  const { clientId, proof } = request
  if (proof.method === 'secret') return { client_secret: proof.clientSecret }
  if (proof.method === 'certificate') {
    const certificate = readClientCertificate(proof.certificateFile)
    const claims = { clientId, audience: tokenEndpoint }
    return asAssertion(await signAssertion(certificate, claims))
  }
  return asAssertion(
    'source' in proof ? await readFederatedToken(proof.source, request) : proof.assertion,
  )
}

const asAssertion = (assertion: string): Form => ({
  client_assertion_type: assertionType,
  client_assertion: assertion,
})
