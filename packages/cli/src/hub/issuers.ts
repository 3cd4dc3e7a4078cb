/**
 * Outside issuers at the hub.
 * @module
 */
import {
  IssuerCheckAnswerSchema,
  IssuerListSchema,
  IssuerPutAnswerSchema,
  IssuerSchema,
  issuerPaths,
  type Issuer,
  type IssuerCheck,
  type IssuerPut,
  type IssuerSettings,
} from '@sallyport/protocol'
import type { Scope } from './clusters.ts'

const itemPath = (alias: string) => issuerPaths.item.replace(':alias', encodeURIComponent(alias))

/** All outside issuers. */
export async function listIssuers({ client, signal }: Scope): Promise<Issuer[]> {
  const call = { method: 'GET', path: issuerPaths.list, signal } as const
  return (await client.json(call, IssuerListSchema, 'list of outside issuers')).value
}

/** One outside issuer. @throws SallyportError ERR_ARM_NOT_FOUND. */
export function getIssuer({ client, signal }: Scope, alias: string): Promise<Issuer> {
  const call = { method: 'GET', path: itemPath(alias), signal } as const
  return client.json(call, IssuerSchema, 'outside issuer')
}

/** Saves an outside issuer. @throws SallyportError ERR_ISSUER_CHECK. */
export async function putIssuer(
  { client, signal }: Scope,
  alias: string,
  body: IssuerPut,
): Promise<Issuer & { checks: IssuerCheck[] }> {
  const call = { method: 'PUT', path: itemPath(alias), body, signal } as const
  return client.json(call, IssuerPutAnswerSchema, 'outside issuer')
}

/** Deletes an outside issuer; that there is none is no error. */
export async function deleteIssuer({ client, signal }: Scope, alias: string): Promise<void> {
  await client.call({ method: 'DELETE', path: itemPath(alias), signal })
}

/** Checks settings without saving them; `alias` finds the kept secret. */
export async function checkIssuer(
  { client, signal }: Scope,
  alias: string,
  settings: IssuerSettings,
): Promise<IssuerCheck[]> {
  const body = { ...settings, alias }
  const call = { method: 'POST', path: issuerPaths.check, body, signal } as const
  return (await client.json(call, IssuerCheckAnswerSchema, 'check of an outside issuer')).checks
}
