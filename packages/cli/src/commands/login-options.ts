/**
 * What `sallyport login` accepts, and how its help explains it.
 * @module
 */
import type { Example, OptionSpec } from './command.ts'

/** More than the summary. */
export const loginDescription: readonly string[] = [
  'A person signs in in the browser, or with a code on another machine; an application with a secret, a certificate,',
  'or a token of an issuer it is federated with. Secrets come from files, @FILE, - (stdin) or SALLYPORT_CLIENT_SECRET.',
  'What renews the tokens is kept in credentials.json (mode 0600).',
]

/** Options of `login`. */
export const loginOptions: readonly OptionSpec[] = [
  {
    long: 'use-device-code',
    aliases: ['device-code'],
    summary: 'show a code to enter in a browser elsewhere',
  },
  { long: 'service-principal', summary: 'sign in as an application' },
  { long: 'username', short: 'u', value: 'CLIENT_ID', summary: 'client id of the application' },
  {
    long: 'password',
    short: 'p',
    value: 'SECRET',
    summary: 'client secret; @FILE or - hide it from others',
  },
  {
    long: 'password-file',
    value: 'FILE',
    summary: 'file with the client secret',
    complete: 'file',
  },
  {
    long: 'certificate',
    value: 'FILE',
    summary: 'PEM file with certificate and private key',
    complete: 'file',
  },
  {
    long: 'federated-token',
    value: 'TOKEN',
    summary: 'token of another issuer: @FILE, - or github (GitHub Actions)',
  },
  {
    long: 'federated-token-file',
    value: 'FILE',
    summary: 'the same from a file, read anew at each renewal',
    complete: 'file',
  },
  {
    long: 'federated-audience',
    value: 'NAME',
    summary: 'audience to ask GitHub for; default: that of az',
  },
  { long: 'tenant', short: 't', value: 'ID', summary: "tenant; default: the hub's" },
  { long: 'allow-no-subscriptions', summary: 'no warning when there is no subscription to see' },
  {
    long: 'hub-fingerprint',
    value: 'SHA256',
    summary: 'fingerprint of the CA, as the hub printed it',
  },
  { long: 'ca-file', value: 'FILE', summary: 'CA certificate of the hub, PEM', complete: 'file' },
]

/** Examples of `login`. */
export const loginExamples: readonly Example[] = [
  {
    what: 'first time, with the fingerprint the hub printed',
    line: 'sallyport login --hub https://hub.example.com --hub-fingerprint sha256:AB:CD:…',
  },
  { what: 'from a machine without a browser', line: 'sallyport login --use-device-code' },
  {
    what: 'as an application',
    line: 'sallyport login --service-principal -u CLIENT_ID --password-file secret',
  },
  {
    what: 'in GitHub Actions',
    line: 'sallyport login --service-principal -u CLIENT_ID --federated-token github',
  },
]
