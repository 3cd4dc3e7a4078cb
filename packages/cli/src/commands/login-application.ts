/**
 * Signing in an application: which proof the line gives, and the token for it.
 * @module
 */
import { resolve } from 'node:path'
import { SallyportError, federatedTokenAudience } from '@sallyport/protocol'
import { secretFromFile } from '../credentials/secret-file.ts'
import { askAsApplication, type ApplicationProof } from '../hub/application-sign-in.ts'
import { refused, type AccessToken } from '../hub/oauth.ts'
import type { SignInEndpoints } from '../hub/sign-in.ts'
import type { HubTransport } from '../hub/transport.ts'
import type { CommandContext } from './command.ts'
import { secretFromFlag } from './secret-input.ts'

const proofFlags = [
  'password',
  'password-file',
  'certificate',
  'federated-token',
  'federated-token-file',
] as const

/** An application as the line names it. */
export interface Application {
  clientId: string
  proof: ApplicationProof
}

/** Reads client id and proof. @throws SallyportError ERR_USAGE when there is none, or more than one. */
export async function readApplication(context: CommandContext): Promise<Application> {
  const { flags } = context
  const clientId = flags.required('username', '-u CLIENT_ID')
  const given = proofFlags.filter((flag) => flags.text(flag) !== undefined)
  if (given.length > 1) {
    const names = given.map((flag) => `--${flag}`).join(' and ')
    throw new SallyportError('ERR_USAGE', `${names} cannot be given together`, {
      remedy: 'give one of them',
    })
  }
  return { clientId, proof: await readProof(context) }
}

async function readProof(context: CommandContext): Promise<ApplicationProof> {
  const { flags } = context
  const certificate = flags.text('certificate')
  if (certificate !== undefined) {
    return { method: 'certificate', certificateFile: resolve(certificate) }
  }
  const file = flags.text('federated-token-file')
  if (file !== undefined) return fromFile(file)
  const token = flags.text('federated-token')
  if (token === undefined) return { method: 'secret', clientSecret: await readSecret(context) }
  if (token === 'github') {
    const audience = flags.text('federated-audience') ?? federatedTokenAudience
    return { method: 'federated', source: { kind: 'github', audience } }
  }
  if (token.startsWith('@')) return fromFile(token.slice(1))
  return { method: 'federated', assertion: await hiddenValue(context, token) }
}

const fromFile = (file: string): ApplicationProof => ({
  method: 'federated',
  source: { kind: 'file', path: resolve(file) },
})

async function readSecret(context: CommandContext): Promise<string> {
  const { flags, env } = context
  const file = flags.text('password-file')
  if (file !== undefined) {
    return file === '-' ? (await secretFromFlag('-', context)).secret : secretFromFile(file)
  }
  const value = flags.text('password')
  if (value !== undefined) return hiddenValue(context, value)
  const variable = env['SALLYPORT_CLIENT_SECRET']
  if (variable !== undefined && variable !== '') return variable
  throw new SallyportError('ERR_USAGE', 'no client secret is given', {
    remedy: 'pass --password-file FILE, -p - for stdin, or set SALLYPORT_CLIENT_SECRET',
  })
}

async function hiddenValue(context: CommandContext, value: string): Promise<string> {
  const { secret, wasVisible } = await secretFromFlag(value, context)
  if (wasVisible) {
    context.warn(
      'a secret on the command line is visible to other users; use @FILE, - (stdin) or the environment',
    )
  }
  return secret
}

/** Gets the first token. @throws SallyportError ERR_AUTH_FAILED when the hub refuses the proof. */
export async function signInApplication(
  context: CommandContext,
  transport: HubTransport,
  request: { endpoints: SignInEndpoints; application: Application },
): Promise<AccessToken> {
  const { env, signal } = context
  const answer = await askAsApplication(transport, request.endpoints, {
    ...request.application,
    env,
    signal,
  })
  if ('token' in answer) return answer.token
  throw refused(answer.refusal, 'check client id, proof and tenant, then sign in again')
}
