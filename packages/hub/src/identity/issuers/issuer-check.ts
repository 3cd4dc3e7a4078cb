/**
 * The check of an issuer before it is saved: one step after the other, each with its time and what to do when it fails.
 * Nothing of what the issuer sent is repeated beyond names, numbers and addresses of its own discovery document.
 * @module
 */
import { performance } from 'node:perf_hooks'
import type { ServerMetadata } from 'openid-client'
import { isSallyportError, limits, type IssuerCheck } from '@sallyport/protocol'
import type { OutsideFetch } from './outside-fetch.ts'
import type { OutsideIssuer } from './outside-issuer.ts'
import { discover, endpointsOf, mayServe } from './relying-party.ts'
import { issuerAlgorithms, type RemoteKeys } from './remote-keys.ts'

/** What a check asks. */
export interface CheckParts {
  fetch: OutsideFetch
  keys: RemoteKeys
  clientSecretOf: (alias: string) => string | undefined
  now: () => number
}

/** What a step found; nothing means all is well. */
type Finding = { status: 'warn' | 'fail' | 'skip'; cause: string; fix?: string } | undefined

interface CheckState {
  issuer: OutsideIssuer
  parts: CheckParts
  metadata: ServerMetadata | undefined
  /** `Date` header of the issuer, Unix milliseconds. */
  issuerTime: number | undefined
}

interface Step {
  name: string
  /** Whether it can only be made when the issuer was reached. */
  needsMetadata: boolean
  run: (state: CheckState) => Finding | Promise<Finding>
}

/** Every step, in order; `docs/outside-issuers.md` explains each. */
const steps: readonly Step[] = [
  { name: 'client-id', needsMetadata: false, run: checkClientId },
  { name: 'client-secret', needsMetadata: false, run: checkClientSecret },
  { name: 'discovery', needsMetadata: false, run: checkDiscovery },
  { name: 'issuer', needsMetadata: true, run: checkIssuer },
  { name: 'endpoints', needsMetadata: true, run: checkEndpoints },
  { name: 'keys', needsMetadata: true, run: checkKeys },
  { name: 'algorithms', needsMetadata: true, run: checkAlgorithms },
  { name: 'code-flow', needsMetadata: true, run: checkCodeFlow },
  { name: 'pkce', needsMetadata: true, run: checkPkce },
  { name: 'scopes', needsMetadata: true, run: checkScopes },
  { name: 'clock', needsMetadata: true, run: checkClock },
]

/** Runs every step, also after one failed: the owner wants to see all there is to do. */
export async function checkIssuerSettings(
  parts: CheckParts,
  issuer: OutsideIssuer,
): Promise<IssuerCheck[]> {
  const state: CheckState = { issuer, parts, metadata: undefined, issuerTime: undefined }
  const checks: IssuerCheck[] = []
  for (const step of steps) {
    const begin = performance.now()
    const finding =
      step.needsMetadata && state.metadata === undefined ? unreached : await step.run(state)
    checks.push({
      name: step.name,
      status: 'ok',
      ...finding,
      ms: Math.round((performance.now() - begin) * 10) / 10,
    })
  }
  return checks
}

const unreached: Finding = { status: 'skip', cause: 'the discovery document was not read' }

function checkClientId({ issuer }: CheckState): Finding {
  const isGuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(issuer.clientId)
  if (issuer.tenant !== undefined && !isGuid) {
    return {
      status: 'fail',
      cause: 'the client id is not a GUID',
      fix: 'use the "Application (client) ID" of the app registration',
    }
  }
  const isGoogle = issuer.issuer === 'https://accounts.google.com'
  if (isGoogle && !issuer.clientId.endsWith('.apps.googleusercontent.com')) {
    return {
      status: 'fail',
      cause: 'the client id does not end in .apps.googleusercontent.com',
      fix: 'use the client id of an OAuth client of the type "Web application"',
    }
  }
  return undefined
}

function checkClientSecret({ issuer, parts }: CheckState): Finding {
  if (parts.clientSecretOf(issuer.alias) !== undefined) return undefined
  return {
    status: 'warn',
    cause: 'there is no client secret',
    fix: 'right for a public client; otherwise give --client-secret-file',
  }
}

async function checkDiscovery(state: CheckState): Promise<Finding> {
  const { issuer, parts } = state
  const fetch: OutsideFetch = async (url, options) => {
    const answer = await parts.fetch(url, options)
    const date = Date.parse(answer.headers.get('date') ?? '')
    if (!Number.isNaN(date)) state.issuerTime = date
    return answer
  }
  try {
    state.metadata = await discover(fetch, issuer, { anyIssuer: true })
    return undefined
  } catch (error) {
    return {
      status: 'fail',
      cause: reasonOf(error),
      fix: `open ${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration from the machine of the hub`,
    }
  }
}

function checkIssuer({ issuer, metadata }: CheckState): Finding {
  if (metadata?.issuer === issuer.issuer) return undefined
  return {
    status: 'fail',
    cause: `the discovery document names the issuer ${shown(metadata?.issuer ?? '')}`,
    fix: 'give exactly that as issuer, if it is the one you mean',
  }
}

function checkEndpoints({ issuer, metadata }: CheckState): Finding {
  for (const [name, address] of metadata === undefined ? [] : endpointsOf(metadata)) {
    if (address === '') return { status: 'fail', cause: `the discovery document has no ${name}` }
    if (mayServe(issuer, address)) continue
    return {
      status: 'fail',
      cause: `${name} is ${shown(address)}`,
      fix: 'add its host to endpointHosts, if it belongs to the issuer',
    }
  }
  return undefined
}

async function checkKeys({ issuer, parts }: CheckState): Promise<Finding> {
  try {
    await parts.keys.check(issuer.issuer, issuer.hosts)
    return undefined
  } catch (error) {
    return {
      status: 'fail',
      cause: reasonOf(error),
      fix: 'the issuer has to publish an RSA key of at least 2048 bits or an EC key, in at most 64 KiB',
    }
  }
}

function checkAlgorithms({ metadata }: CheckState): Finding {
  const offered = metadata?.id_token_signing_alg_values_supported
  if (offered === undefined) {
    return { status: 'warn', cause: 'the issuer does not say how it signs ID tokens' }
  }
  if (offered.some((one) => (issuerAlgorithms as readonly string[]).includes(one))) return undefined
  return {
    status: 'fail',
    cause: 'none of its signature algorithms is accepted',
    fix: `let it sign with one of ${issuerAlgorithms.join(', ')}`,
  }
}

function checkCodeFlow({ metadata }: CheckState): Finding {
  const isOffered = (metadata?.response_types_supported ?? []).includes('code')
  return isOffered
    ? undefined
    : { status: 'fail', cause: 'it does not offer the authorization code flow' }
}

function checkPkce({ metadata }: CheckState): Finding {
  const methods = metadata?.code_challenge_methods_supported
  if (methods?.includes('S256') === true) return undefined
  if (methods === undefined) {
    return {
      status: 'warn',
      cause: 'it does not say that it supports PKCE; the hub sends it anyway',
    }
  }
  return { status: 'fail', cause: 'it supports PKCE, but not with S256' }
}

function checkScopes({ issuer, metadata }: CheckState): Finding {
  if (!issuer.scopes.includes('openid')) {
    return { status: 'fail', cause: "the scope 'openid' is missing", fix: 'add it to the scopes' }
  }
  const known = metadata?.scopes_supported
  // Scopes of Graph are not those of the sign-in service, whose list does not name them.
  const unknown = issuer.scopes.filter(
    (scope) => known?.includes(scope) === false && !scope.includes('/'),
  )
  if (unknown.length === 0) return undefined
  return {
    status: 'warn',
    cause: `it does not list the scopes ${unknown.join(' ')}`,
    fix: 'make them known to the issuer, or leave them out with --scopes',
  }
}

function checkClock({ parts, issuerTime }: CheckState): Finding {
  if (issuerTime === undefined) return { status: 'warn', cause: 'it does not tell its time' }
  const off = Math.round((issuerTime - parts.now()) / 1000)
  if (Math.abs(off) * 1000 <= limits.outsideTokenSkewMs) return undefined
  return {
    status: 'fail',
    cause: `its clock is ${Math.abs(off)} s ${off > 0 ? 'ahead of' : 'behind'} that of the hub`,
    fix: 'set the clock that is off (use NTP)',
  }
}

function reasonOf(error: unknown): string {
  if (!isSallyportError(error)) return 'it failed'
  return error.why ?? error.message
}

/** An address of the issuer's choice, safe to print. */
function shown(address: string): string {
  return JSON.stringify(address.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?'))
}
