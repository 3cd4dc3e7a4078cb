/**
 * Every setting of `sallyport hub` and `sallyport relay`.
 * @module
 */
import Type from 'typebox'
import type { Field } from './field.ts'
import type { ConfigProgram } from './program.ts'

const path = Type.String({ minLength: 1, maxLength: 4096 })
const guid = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
})
const name = Type.String({ pattern: '^[A-Za-z0-9:]([A-Za-z0-9.:_-]{0,252}[A-Za-z0-9:])?$' })

/** Levels of the log, least talkative first. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

const dataDirectory: Field = {
  schema: path,
  kind: 'text',
  placeholder: 'DIR',
  description:
    'Directory of everything this program keeps: store, keys, certificates. Made with mode 0700; refused when others can write to it.',
  default: '~/.local/share/sallyport/hub',
}
const listen: Field = {
  schema: Type.String({ pattern: '^(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9.-]+):[0-9]{1,5}$' }),
  kind: 'text',
  placeholder: 'HOST:PORT',
  description:
    'Address to listen on. Port 0 takes any free port. IPv6 addresses in square brackets.',
  default: '127.0.0.1:8443',
}
const publicUrl: Field = {
  schema: Type.String({ pattern: '^https://[^/?#@\\s]+/?$', maxLength: 512 }),
  kind: 'text',
  placeholder: 'URL',
  description:
    'Origin under which clients and agents reach this program. It is the audience of access tokens: change it and everybody signs in again.',
  defaultText: 'https://HOST:PORT of listen',
}
const tls: Record<string, Field> = {
  tlsCertificateFile: {
    schema: path,
    kind: 'text',
    placeholder: 'FILE',
    description:
      'PEM certificate chain, server certificate first. Without it a certificate is minted from an own CA in the data directory.',
  },
  tlsKeyFile: {
    schema: path,
    kind: 'text',
    placeholder: 'FILE',
    description: 'PEM private key of the certificate.',
  },
  tlsKeyPassphrase: {
    schema: Type.String({ minLength: 1, maxLength: 1024 }),
    kind: 'secret',
    placeholder: '',
    description: 'Passphrase of an encrypted private key.',
  },
  extraNames: {
    schema: Type.Array(name, { maxItems: 64 }),
    kind: 'list',
    placeholder: 'NAME',
    description:
      'Further host names and addresses of the minted certificate, beside those of listen and publicUrl, localhost and this host name.',
    default: [],
  },
}
const logLevel: Field = {
  schema: Type.Union(logLevels.map((level) => Type.Literal(level))),
  kind: 'text',
  placeholder: 'LEVEL',
  description: `Least level of the JSON log on stderr: ${logLevels.join(', ')}.`,
  default: 'info',
}

/** Configuration of `sallyport hub`. */
export const hubProgram: ConfigProgram = {
  command: 'sallyport hub',
  summary: 'Run the hub: API, sign-in and relay in one process.',
  environmentPrefix: 'SALLYPORT_HUB_',
  fields: {
    dataDirectory,
    listen,
    publicUrl,
    ...tls,
    tenantId: {
      schema: guid,
      kind: 'text',
      placeholder: 'GUID',
      description: 'Tenant of this hub. Fixed at the first start of the data directory.',
      defaultText: 'made at first start',
    },
    subscriptionId: {
      schema: guid,
      kind: 'text',
      placeholder: 'GUID',
      description:
        'First subscription of this hub. Fixed at the first start of the data directory.',
      defaultText: 'made at first start',
    },
    location: {
      schema: Type.String({ pattern: '^[a-z0-9]{1,64}$' }),
      kind: 'text',
      placeholder: 'NAME',
      description: 'Location the hub offers for resources.',
      default: 'local',
    },
    logLevel,
    administratorFile: {
      schema: path,
      kind: 'text',
      placeholder: 'FILE',
      description:
        'Where the first start writes the credentials of the first administrator as JSON, mode 0600, instead of printing them.',
    },
    relays: {
      schema: Type.Array(
        Type.String({ pattern: '^(https|wss)://[^/?#@\\s]+/?$', maxLength: 512 }),
        { maxItems: 8 },
      ),
      kind: 'list',
      placeholder: 'URL',
      description:
        'Origins of the relays that clients and agents are sent to; each runs with the relay key file of this hub (keys/relay.json in the data directory).',
      defaultText: 'this hub',
    },
    issuerCaFile: {
      schema: path,
      kind: 'text',
      placeholder: 'FILE',
      description:
        'PEM certificates trusted for outside issuers and their keys, beside the public authorities: for an issuer with a private CA.',
    },
    agentLease: {
      schema: Type.Integer({ minimum: 5, maximum: 3600 }),
      kind: 'integer',
      placeholder: 'SECONDS',
      description:
        'For how long an agent that does not hear from this hub lets people in. Shorter closes a cut-off cluster sooner, longer survives longer outages of the hub. Live sessions may outlive it on agents started with `--ride-out SECONDS` (SALLYPORT_AGENT_RIDE_OUT, at most a day); revocations of that time come late there.',
      default: 60,
    },
  },
}

/** Configuration of `sallyport relay`. */
export const relayProgram: ConfigProgram = {
  command: 'sallyport relay',
  summary: 'Run a relay alone, beside a hub elsewhere.',
  environmentPrefix: 'SALLYPORT_RELAY_',
  fields: {
    dataDirectory: { ...dataDirectory, default: '~/.local/share/sallyport/relay' },
    listen: { ...listen, default: '127.0.0.1:8444' },
    publicUrl,
    ...tls,
    relayKeyFile: {
      schema: path,
      kind: 'text',
      placeholder: 'FILE',
      description:
        'Shared access keys of the relay, a copy of keys/relay.json of the hub; readable by its owner only.',
      required: true,
    },
    logLevel,
  },
}
