/**
 * `sallyport ad sp credential …` and `sallyport ad sp federated-credential …`.
 * @module
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SallyportError, federatedTokenAudience } from '@sallyport/protocol'
import { fileError } from '../credentials/file-error.ts'
import { getApplication, graphCall, graphList, idOf } from '../hub/graph.ts'
import { chosenHub } from '../hub/session.ts'
import { column } from '../output/table.ts'
import { isObject } from '../output/value.ts'
import { applicationIdOption, openGraph } from './ad-view.ts'
import type { Command, OptionSpec } from './command.ts'

const credentialColumns = [
  column('KEY', 'keyId'),
  column('NAME', 'displayName'),
  column('ENDS', 'endDateTime'),
]
const federatedColumns = [
  column('NAME', 'name'),
  column('ISSUER', 'issuer'),
  column('SUBJECT', 'subject'),
  column('ID', 'id'),
]
const certificateOption: OptionSpec = {
  long: 'cert',
  value: '@FILE',
  summary: 'certificate, PEM; its key stays with the application',
}

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** Makes a new secret or registers a certificate. */
export const credentialReset: Command = {
  summary: 'make a new secret, or register a certificate',
  description: ['Without --append the other secrets stop working once the new one is there.'],
  options: [
    applicationIdOption,
    { long: 'append', summary: 'keep the other secrets' },
    certificateOption,
    { long: 'display-name', value: 'NAME', summary: 'what it is for' },
    { long: 'end-date', value: 'TIME', summary: 'when it ends, RFC 3339' },
  ],
  examples: [
    { what: 'a new secret', line: 'sallyport ad sp credential reset --id CLIENT_ID' },
    {
      what: 'a certificate beside it',
      line: 'sallyport ad sp credential reset --id CLIENT_ID --append --cert @app.crt',
    },
  ],
  run: async (context) => {
    const { flags } = context
    const id = flags.required('id')
    const file = flags.text('cert')
    const displayName = flags.text('display-name')
    const endDateTime = flags.text('end-date')
    const common = {
      ...(displayName === undefined ? {} : { displayName }),
      ...(endDateTime === undefined ? {} : { endDateTime }),
    }
    const key = file === undefined ? undefined : readCertificate(file)
    await using graph = openGraph(context)
    const application = await getApplication(graph, id)
    const path = `/servicePrincipals/${idOf(application)}`
    const made =
      key === undefined
        ? await graphCall(graph, 'POST', {
            path: `${path}/addPassword`,
            body: { passwordCredential: common },
          })
        : await graphCall(graph, 'POST', {
            path: `${path}/addKey`,
            body: {
              keyCredential: { type: 'AsymmetricX509Cert', usage: 'Verify', key, ...common },
            },
          })
    const result = { appId: application.appId, tenant: chosenHub(context).tenantId }
    await context.print(
      key === undefined
        ? { ...result, password: made.secretText }
        : { ...result, keyId: made.keyId },
    )
    if (flags.on('append')) return 0
    for (const old of application.passwordCredentials ?? []) {
      const body = { keyId: old.keyId }
      await graphCall(graph, 'POST', { path: `${path}/removePassword`, body })
    }
    return 0
  },
}

/** The certificate of `@FILE`, DER in base64. @throws SallyportError. */
function readCertificate(value: string): string {
  const path = value.replace(/^@/, '')
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(path, 'read', error)
  }
  try {
    return new X509Certificate(pem).raw.toString('base64')
  } catch (cause) {
    throw new SallyportError('ERR_USAGE', `${path} holds no PEM certificate`, { cause })
  }
}

/** Lists secrets and certificates, never a secret itself. */
export const credentialList: Command = {
  summary: 'list secrets and certificates, by their ids',
  options: [applicationIdOption, { long: 'cert', summary: 'certificates instead of secrets' }],
  examples: [
    { what: 'when they end', line: 'sallyport ad sp credential list --id CLIENT_ID -o table' },
  ],
  run: async (context) => {
    const id = context.flags.required('id')
    await using graph = openGraph(context)
    const application = await getApplication(graph, id)
    const kind = context.flags.on('cert') ? 'keyCredentials' : 'passwordCredentials'
    await context.print(application[kind] ?? [], credentialColumns)
    return 0
  },
}

/** Deletes a secret or certificate. */
export const credentialDelete: Command = {
  summary: 'delete a secret or certificate; sessions by it end',
  options: [
    applicationIdOption,
    { long: 'key-id', value: 'ID', summary: 'which one, as credential list shows it' },
    { long: 'cert', summary: 'it is a certificate' },
  ],
  examples: [
    { what: 'a secret', line: 'sallyport ad sp credential delete --id CLIENT_ID --key-id KEY_ID' },
  ],
  run: async (context) => {
    const id = context.flags.required('id')
    const keyId = context.flags.required('key-id')
    const action = context.flags.on('cert') ? 'removeKey' : 'removePassword'
    await using graph = openGraph(context)
    const objectId = idOf(await getApplication(graph, id))
    await graphCall(graph, 'POST', {
      path: `/servicePrincipals/${objectId}/${action}`,
      body: { keyId },
    })
    return 0
  },
}

/** Lets a workload of another issuer sign in. */
export const federatedCreate: Command = {
  summary: 'let a workload of another issuer sign in',
  options: [
    applicationIdOption,
    { long: 'name', short: 'n', value: 'NAME', summary: 'name of the credential' },
    { long: 'issuer', value: 'URL', summary: 'issuer of its tokens, as they say it' },
    { long: 'subject', value: 'TEXT', summary: 'subject of its tokens, as they say it' },
    { long: 'audiences', value: 'NAME', summary: `audience; default: ${federatedTokenAudience}` },
  ],
  examples: [
    {
      what: 'a service account of a cluster',
      line: 'sallyport ad sp federated-credential create --id CLIENT_ID -n pods --issuer URL --subject system:serviceaccount:NS:NAME',
    },
  ],
  run: async (context) => {
    const { flags } = context
    const id = flags.required('id')
    const body = {
      name: flags.required('name', '-n NAME'),
      issuer: flags.required('issuer'),
      subject: flags.required('subject'),
      audiences: [flags.text('audiences') ?? federatedTokenAudience],
    }
    await using graph = openGraph(context)
    const path = `/applications/${idOf(await getApplication(graph, id))}/federatedIdentityCredentials`
    await context.print(await graphCall(graph, 'POST', { path, body }), federatedColumns)
    return 0
  },
}

/** Lists federated credentials. */
export const federatedList: Command = {
  summary: 'list the workloads that may sign in',
  options: [applicationIdOption],
  examples: [{ what: 'all', line: 'sallyport ad sp federated-credential list --id CLIENT_ID' }],
  run: async (context) => {
    const id = context.flags.required('id')
    await using graph = openGraph(context)
    const path = `/applications/${idOf(await getApplication(graph, id))}/federatedIdentityCredentials`
    await context.print(await graphList(graph, path), federatedColumns)
    return 0
  },
}

/** Deletes a federated credential. */
export const federatedDelete: Command = {
  summary: 'no longer let a workload sign in',
  options: [
    applicationIdOption,
    {
      long: 'federated-credential-id',
      value: 'ID',
      summary: 'id or name of the federated credential',
    },
  ],
  examples: [
    {
      what: 'by name',
      line: 'sallyport ad sp federated-credential delete --id CLIENT_ID --federated-credential-id pods',
    },
  ],
  run: async (context) => {
    const id = context.flags.required('id')
    const wanted = context.flags.required('federated-credential-id')
    await using graph = openGraph(context)
    const path = `/applications/${idOf(await getApplication(graph, id))}/federatedIdentityCredentials`
    const all = (await graphList(graph, path)).filter(isObject)
    const found = all.find((one) => one['id'] === wanted || one['name'] === wanted)
    if (found === undefined)
      throw new SallyportError(
        'ERR_DIRECTORY_NOT_FOUND',
        `there is no federated credential '${wanted}'`,
      )
    await graphCall(graph, 'DELETE', { path: `${path}/${encodeURIComponent(text(found['id']))}` })
    return 0
  },
}
