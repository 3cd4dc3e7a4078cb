/**
 * Outside issuers as the API and the CLI speak of them: OpenID providers elsewhere that people may sign in with.
 * @module
 */
import Type, { type Static } from 'typebox'

/** Path of the outside issuers, and of the check of one that is not saved yet. */
export const issuerPaths = {
  list: '/sallyport/v1/issuers',
  item: '/sallyport/v1/issuers/:alias',
  check: '/sallyport/v1/issuers/check',
} as const

/** Where an outside issuer sends people back to: what is registered there as redirect address. */
export const outsideCallbackPath = '/signin/outside/callback'

/** Name of a claim: an own member with exactly this name, or a dotted path through own members. */
const claimName = Type.String({ minLength: 1, maxLength: 256 })
const guid = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
})
const hostName = Type.String({ pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$' })
const origin = Type.String({ pattern: '^https://[^/?#@\\s]+$', maxLength: 512 })

/** Short name of an issuer, in addresses and before its groups. Two names are paths already. */
export const issuerAliasPattern = '^(?!check$|callback$)[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'

const settings = {
  /** `entra`: Microsoft Entra ID and its sovereign clouds; `oidc`: everything else that speaks OpenID Connect. */
  kind: Type.Union([Type.Literal('entra'), Type.Literal('oidc')]),
  displayName: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  /** `iss` of its tokens, exactly. */
  issuer: Type.String({ pattern: '^https://[^?#@\\s]+$', maxLength: 2048 }),
  clientId: Type.String({ pattern: '^[\\x21-\\x7e]{1,256}$' }),
  /** Default true. */
  enabled: Type.Optional(Type.Boolean()),
  /** Default: what the kind needs. */
  scopes: Type.Optional(
    Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,256}$' }), {
      minItems: 1,
      maxItems: 32,
    }),
  ),
  /** Only for `oidc`; Entra's are fixed. */
  claims: Type.Optional(
    Type.Object(
      {
        groups: Type.Optional(claimName),
        name: Type.Optional(claimName),
        userPrincipalName: Type.Optional(claimName),
        mail: Type.Optional(claimName),
      },
      { additionalProperties: false },
    ),
  ),
  /** Before each group name. Default: `ALIAS:`, and nothing for `entra`, whose groups are GUIDs. */
  groupsPrefix: Type.Optional(Type.String({ maxLength: 64 })),
  /** Nobody without a mail address that the issuer calls verified. */
  requireVerifiedMail: Type.Optional(Type.Boolean()),
  /** Only people with a verified mail address in one of these domains. */
  domains: Type.Optional(Type.Array(hostName, { maxItems: 64 })),
  /** Only `entra`: home tenants whose guests are let in; `*` for guests of any. */
  guestTenants: Type.Optional(Type.Array(Type.Union([guid, Type.Literal('*')]), { maxItems: 64 })),
  /** Only `entra`: origin of the sign-in service. Default: by the host of `issuer`. */
  authority: Type.Optional(origin),
  /** Only `entra`: origin of Microsoft Graph, asked when a token has too many groups. Default: by the host of `issuer`. */
  graph: Type.Optional(origin),
  /** Hosts besides the issuer's own that may serve its endpoints and keys. */
  endpointHosts: Type.Optional(Type.Array(hostName, { maxItems: 8 })),
}

/** Settings of an issuer as they are given; what is left out has its default. */
export const IssuerSettingsSchema = Type.Object(settings, { additionalProperties: false })
export type IssuerSettings = Static<typeof IssuerSettingsSchema>

const clientSecret = Type.String({ pattern: '^[\\x20-\\x7e]{1,1024}$' })

/** Body of PUT. Without `clientSecret` a kept one stays; null removes it (public client). */
export const IssuerPutSchema = Type.Object(
  {
    ...settings,
    clientSecret: Type.Optional(Type.Union([clientSecret, Type.Null()])),
    /** Save although the check fails: for an issuer that is not reachable yet. */
    skipCheck: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export type IssuerPut = Static<typeof IssuerPutSchema>

/** Body of POST check. */
export const IssuerCheckRequestSchema = Type.Object(
  { ...settings, alias: Type.Optional(Type.String({ pattern: issuerAliasPattern })) },
  { additionalProperties: false },
)

/** An issuer as it is shown; the secret never is. */
export const IssuerSchema = Type.Object({
  alias: Type.String(),
  ...settings,
  displayName: Type.String(),
  enabled: Type.Boolean(),
  hasClientSecret: Type.Boolean(),
  /** What to register at the issuer. */
  redirectUri: Type.String(),
  createdDateTime: Type.String(),
  lastModifiedDateTime: Type.String(),
})
export type Issuer = Static<typeof IssuerSchema>

/** One finding of the check, in the order they were made. */
export const IssuerCheckSchema = Type.Object({
  name: Type.String(),
  status: Type.Union([
    Type.Literal('ok'),
    Type.Literal('warn'),
    Type.Literal('fail'),
    Type.Literal('skip'),
  ]),
  ms: Type.Number(),
  cause: Type.Optional(Type.String()),
  fix: Type.Optional(Type.String()),
})
export type IssuerCheck = Static<typeof IssuerCheckSchema>

/** Answer of POST check. */
export const IssuerCheckAnswerSchema = Type.Object({ checks: Type.Array(IssuerCheckSchema) })
/** Answer of GET list. */
export const IssuerListSchema = Type.Object({ value: Type.Array(IssuerSchema) })
/** Answer of PUT. */
export const IssuerPutAnswerSchema = Type.Object({
  ...IssuerSchema.properties,
  checks: Type.Array(IssuerCheckSchema),
})
