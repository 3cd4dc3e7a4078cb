/**
 * Ending a sign-in at the hub (RFC 7009): with the refresh token goes everything that was issued by it.
 * @module
 */
import { cliClientId } from '@sallyport/protocol'
import { postForm, readRefusal, refused } from './oauth.ts'
import type { HubTransport } from './transport.ts'

/** Revokes a refresh token; one the hub does not know is no error. @throws SallyportError when the hub did not do it. */
export async function revokeSignIn(
  transport: HubTransport,
  revocationEndpoint: string,
  request: { refreshToken: string; signal: AbortSignal },
): Promise<void> {
  const response = await postForm(transport, revocationEndpoint, {
    form: {
      client_id: cliClientId,
      token: request.refreshToken,
      token_type_hint: 'refresh_token',
    },
    signal: request.signal,
  })
  if (response.status < 300) return
  const unknown = { error: `status ${response.status}`, description: undefined }
  throw refused(readRefusal(response) ?? { ...unknown, requestId: response.requestId })
}
