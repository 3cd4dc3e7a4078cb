/**
 * Whether the hub is the one a person means to sign in at: its CA, before anything is sent.
 * @module
 */
import { readFileSync } from 'node:fs'
import { SallyportError, isSallyportError } from '@sallyport/protocol'
import { fileError } from '../credentials/file-error.ts'
import { readProfile } from '../credentials/profile.ts'
import { dialSettings } from '../hub/session.ts'
import { createTransport, type HubTransport } from '../hub/transport.ts'
import { certificateWith, parseFingerprint, shownChain } from '../hub/trust.ts'
import { canAsk, confirm } from './ask.ts'
import type { CommandContext } from './command.ts'

/** A way to the hub, and the only CA trusted for it; the system's when undefined. */
export interface Trusted {
  transport: HubTransport
  ca: string | undefined
}

/** A transport whose certificate is verified: by --ca-file, --hub-fingerprint, the CA kept before, the system's, or the person asked. */
export async function trustedTransport(context: CommandContext, origin: string): Promise<Trusted> {
  const { flags, env, signal, trace } = context
  const make = (ca: string | undefined): Trusted => ({
    ca,
    transport: createTransport({ origin, dial: dialSettings(env, ca), trace }),
  })
  const file = flags.text('ca-file')
  if (file !== undefined) return make(readCaFile(file))
  const fingerprint = flags.text('hub-fingerprint')
  if (fingerprint !== undefined) {
    const chain = await shownChain(origin, dialSettings(env, undefined), signal)
    return make(certificateWith(parseFingerprint(fingerprint), chain).pem)
  }
  const known = readProfile(context.directories.config).hubs[origin]
  const first = make(known?.ca)
  try {
    await first.transport.send({
      method: 'GET',
      path: '/metadata/endpoints?api-version=2022-09-01',
      signal,
    })
    return first
  } catch (error) {
    await first.transport.close()
    if (!isSallyportError(error) || error.code !== 'ERR_HUB_UNTRUSTED') throw error
    if (known?.ca !== undefined) throw caChanged(context, origin, error)
    return make(await askForTrust(context, origin))
  }
}

function readCaFile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(path, 'read', error)
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new SallyportError('ERR_USAGE', `${path} holds no PEM certificate`)
}

function caChanged(context: CommandContext, origin: string, cause: SallyportError): SallyportError {
  return new SallyportError(
    'ERR_HUB_UNTRUSTED',
    `${origin} shows a certificate of another CA than at the last sign-in`,
    {
      cause,
      ...(cause.why === undefined ? {} : { why: cause.why }),
      remedy: `if its owner gave it a new CA, compare the fingerprint he tells you: sallyport login … --hub-fingerprint sha256:… (kept in ${context.directories.config})`,
    },
  )
}

async function askForTrust(context: CommandContext, origin: string): Promise<string> {
  const chain = await shownChain(origin, dialSettings(context.env, undefined), context.signal)
  const authority = chain.at(-1)
  if (authority === undefined)
    throw new SallyportError('ERR_HUB_UNTRUSTED', `${origin} shows no certificate`)
  const facts = `${authority.subject}\n  ${authority.fingerprint}`
  if (!canAsk(context)) {
    throw new SallyportError('ERR_USAGE', `nobody has vouched for the CA of ${origin}`, {
      why: `it shows ${authority.fingerprint}`,
      remedy:
        'compare it with what the hub printed, then pass --hub-fingerprint sha256:… or --ca-file FILE',
    })
  }
  const question = `${origin} is not known yet. Its CA is\n  ${facts}\nIs this the fingerprint the hub printed at start?`
  if (await confirm(context, question)) return authority.pem
  throw new SallyportError(
    'ERR_HUB_UNTRUSTED',
    `the CA of ${origin} was not trusted; nothing was sent`,
  )
}
