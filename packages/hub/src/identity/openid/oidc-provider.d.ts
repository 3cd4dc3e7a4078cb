/**
 * Types of the one inner module of `oidc-provider` we load.
 * @module
 */
declare module 'oidc-provider/lib/provider.js' {
  export { Provider } from 'oidc-provider'
}
