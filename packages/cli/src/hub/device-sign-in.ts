/**
 * Signing in a person on another machine: a code is shown here and entered there (RFC 8628).
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import Type from 'typebox'
import {
  SallyportError,
  cliClientId,
  isSallyportError,
  jsonParser,
  limits,
} from '@sallyport/protocol'
import { askToken, postForm, readRefusal, refused, sameOrigin, type TokenAnswer } from './oauth.ts'
import { personScopes, type SignInEndpoints } from './sign-in.ts'
import type { HubTransport } from './transport.ts'
import { identifyUser, type SignedInUser } from './user-identity.ts'

const parseDevice = jsonParser(
  Type.Object({
    device_code: Type.String({ minLength: 1 }),
    user_code: Type.String({ minLength: 1, maxLength: 64 }),
    verification_uri: Type.String(),
    expires_in: Type.Number({ minimum: 1 }),
    interval: Type.Optional(Type.Number({ minimum: 0 })),
  }),
  'device authorization of the hub',
  'ERR_HUB_UNREACHABLE',
)

const defaultIntervalSeconds = 5
/** RFC 8628 section 3.5: added for good by each `slow_down`. */
const slowDownMs = 5_000

/** What a person has to do. */
export interface DevicePrompt {
  address: string
  code: string
  minutes: number
}

/** Signs in; `show` tells the person where to enter which code. @throws SallyportError. */
export async function signInByDevice(
  transport: HubTransport,
  endpoints: SignInEndpoints,
  options: { show: (prompt: DevicePrompt) => void; signal: AbortSignal },
): Promise<SignedInUser> {
  const { deviceEndpoint } = endpoints
  if (deviceEndpoint === undefined) throw notOffered()
  const response = await postForm(transport, deviceEndpoint, {
    form: { client_id: cliClientId, scope: personScopes(endpoints) },
    signal: options.signal,
  })
  if (response.status !== 200) {
    const unknown = { error: `status ${response.status}`, description: undefined }
    throw refused(readRefusal(response) ?? { ...unknown, requestId: response.requestId })
  }
  const device = parseDevice(response.text)
  const lifetimeMs = Math.min(device.expires_in * 1000, limits.deviceSignInMs)
  options.show({
    address: sameOrigin(transport, device.verification_uri).href,
    code: device.user_code,
    minutes: Math.ceil(lifetimeMs / 60_000),
  })
  return poll(transport, endpoints, {
    deviceCode: device.device_code,
    intervalMs: (device.interval ?? defaultIntervalSeconds) * 1000,
    deadline: performance.now() + lifetimeMs,
    signal: options.signal,
  })
}

interface Polling {
  deviceCode: string
  intervalMs: number
  deadline: number
  signal: AbortSignal
}

async function poll(
  transport: HubTransport,
  endpoints: SignInEndpoints,
  polling: Polling,
): Promise<SignedInUser> {
  let { intervalMs } = polling
  while (performance.now() < polling.deadline) {
    await sleep(intervalMs, undefined, { signal: polling.signal })
    const answer = await askOnce(transport, endpoints, polling)
    if (answer === undefined) {
      // RFC 8628 section 3.5: a hub that does not answer is asked less often.
      intervalMs = Math.min(Math.max(intervalMs, 1_000) * 2, limits.reconnectMaxMs)
      continue
    }
    if ('token' in answer) return identifyUser(endpoints, answer.token, undefined)
    const { error } = answer.refusal
    if (error === 'slow_down') intervalMs += slowDownMs
    else if (error === 'expired_token') break
    else if (error === 'access_denied') throw denied(answer.refusal.requestId)
    else if (error !== 'authorization_pending') throw refused(answer.refusal)
  }
  throw new SallyportError('ERR_TIMEOUT', 'the code was not entered in time', {
    remedy: 'sallyport login --use-device-code',
  })
}

/** Undefined when the hub is away for a moment. */
async function askOnce(
  transport: HubTransport,
  endpoints: SignInEndpoints,
  { deviceCode, signal }: Polling,
): Promise<TokenAnswer | undefined> {
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: cliClientId,
    device_code: deviceCode,
  }
  try {
    return await askToken(transport, endpoints.tokenEndpoint, { form, signal })
  } catch (error) {
    if (isSallyportError(error) && error.entry.retryable && !signal.aborted) return undefined
    throw error
  }
}

function denied(requestId: string): SallyportError {
  return new SallyportError('ERR_AUTH_FAILED', 'the sign-in was refused in the browser', {
    requestId,
    remedy: 'sallyport login --use-device-code',
  })
}

function notOffered(): SallyportError {
  return new SallyportError('ERR_AUTH_FAILED', 'this hub does not sign people in by code', {
    remedy: 'sallyport login --service-principal -u CLIENT_ID --password-file FILE',
  })
}
