/**
 * The typed part both programs share: address, names and certificate.
 * @module
 */
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { logLevels } from './hub-fields.ts'
import type { LoadedConfig } from './load.ts'
import { Secret } from './secret.ts'

/** Where to listen. */
export interface ListenAddress {
  host: string
  port: number
}

/** Settings of the HTTPS server. */
export interface ServerConfig {
  dataDirectory: string
  listen: ListenAddress
  /** Origin without trailing slash; undefined: worked out once the port is known. */
  publicUrl: string | undefined
  tlsFiles: { certificate: string; key: string; passphrase: Secret | undefined } | undefined
  extraNames: string[]
  logLevel: (typeof logLevels)[number]
}

const text = Type.Optional(Type.String())

/** Shape of the values once the fields have been checked one by one. */
const ServerValues = Type.Object({
  dataDirectory: Type.String(),
  listen: Type.String(),
  publicUrl: text,
  tlsCertificateFile: text,
  tlsKeyFile: text,
  extraNames: Type.Array(Type.String()),
  logLevel: Type.Union(logLevels.map((level) => Type.Literal(level))),
})
const compiled = Compile(ServerValues)

/** Types the common settings; problems between fields go into `problems`. */
export function serverConfig(config: LoadedConfig, problems: string[]): ServerConfig {
  const values: Static<typeof ServerValues> = compiled.Parse(config.values)
  const { tlsCertificateFile, tlsKeyFile } = values
  const passphrase = config.values['tlsKeyPassphrase']
  if ((tlsCertificateFile === undefined) !== (tlsKeyFile === undefined)) {
    problems.push('--tls-certificate-file and --tls-key-file belong together: give both or none')
  }
  if (passphrase !== undefined && tlsKeyFile === undefined) {
    problems.push('a key passphrase without --tls-key-file has no effect')
  }
  const listen = parseListen(values.listen)
  if (listen.port > 65_535) problems.push('--listen: ports end at 65535')
  return {
    dataDirectory: resolve(values.dataDirectory),
    listen,
    publicUrl: values.publicUrl === undefined ? undefined : originOf(values.publicUrl, problems),
    tlsFiles:
      tlsCertificateFile === undefined || tlsKeyFile === undefined
        ? undefined
        : {
            certificate: resolve(tlsCertificateFile),
            key: resolve(tlsKeyFile),
            passphrase: passphrase instanceof Secret ? passphrase : undefined,
          },
    extraNames: values.extraNames,
    logLevel: values.logLevel,
  }
}

/** `host:port` or `[v6]:port`, already of that form. */
export function parseListen(listen: string): ListenAddress {
  const colon = listen.lastIndexOf(':')
  return {
    host: listen.slice(0, colon).replaceAll(/[[\]]/g, ''),
    port: Number(listen.slice(colon + 1)),
  }
}

/** Whether a host means "every address of this machine". */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** Origin derived from the bound address when `publicUrl` is not set. */
export function derivedPublicUrl(host: string, port: number): string {
  const name = isWildcard(host) ? hostname() : host
  return new URL(`https://${name.includes(':') ? `[${name}]` : name}:${port}`).origin
}

function originOf(url: string, problems: string[]): string {
  const parsed = URL.parse(url)
  if (parsed !== null) return parsed.origin
  problems.push('--public-url: this is not a URL')
  return url
}
