/**
 * What hub and command line agree on before anybody is signed in.
 * @module
 */

/** Client id of our command line at every hub: a public client (RFC 8252), it has no secret. */
export const cliClientId = '8372d1b7-9c67-4239-8a05-7049a5c9bcfe'

/** Where the browser comes back to; the port differs each time (RFC 8252 section 7.3). */
export const cliRedirectPath = '/callback'

/** Audience of a token presented for workload federation, as `az` and `@azure/identity` have it. */
export const federatedTokenAudience = 'api://AzureADTokenExchange'
