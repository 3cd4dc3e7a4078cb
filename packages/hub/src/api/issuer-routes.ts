/**
 * `/sallyport/v1/issuers`: who may vouch for people, decided by whoever holds the rights of these actions.
 * @module
 */
import Type from 'typebox'
import {
  IssuerCheckAnswerSchema,
  IssuerCheckRequestSchema,
  IssuerListSchema,
  IssuerPutAnswerSchema,
  IssuerPutSchema,
  IssuerSchema,
  SallyportError,
  issuerAliasPattern,
  issuerPaths,
} from '@sallyport/protocol'
import { principalOf, requires } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'

const Params = Type.Object({ alias: Type.String() })
const read = requires('Sallyport/issuers/read')
const write = requires('Sallyport/issuers/write')
const aliasRule = new RegExp(issuerAliasPattern)

/** Adds the routes. */
export function registerIssuerRoutes(api: Api, { issuers }: ApiContext): void {
  api.get(
    issuerPaths.list,
    { config: read, schema: { response: { 200: IssuerListSchema } } },
    async () => ({
      value: await issuers.list(),
    }),
  )
  api.get(
    issuerPaths.item,
    { config: read, schema: { params: Params, response: { 200: IssuerSchema } } },
    (request) => issuers.get(request.params.alias.toLowerCase()),
  )
  api.post(
    issuerPaths.check,
    {
      config: write,
      schema: { body: IssuerCheckRequestSchema, response: { 200: IssuerCheckAnswerSchema } },
    },
    async (request) => {
      const { alias = 'new', ...settings } = request.body
      return { checks: await issuers.check(alias, settings) }
    },
  )
  registerChanges(api, issuers)
}

function registerChanges(api: Api, issuers: ApiContext['issuers']): void {
  api.put(
    issuerPaths.item,
    {
      config: write,
      schema: {
        params: Params,
        body: IssuerPutSchema,
        response: { 200: IssuerPutAnswerSchema, 201: IssuerPutAnswerSchema },
      },
    },
    async (request, reply) => {
      const alias = checkedAlias(request.params.alias)
      const { issuer, created, checks } = await issuers.put(alias, request.body)
      const by = principalOf(request).objectId
      request.log.info({
        event: 'issuer.saved',
        issuer: alias,
        created,
        by,
        checked: checks.length > 0,
      })
      return reply.code(created ? 201 : 200).send({ ...issuer, checks })
    },
  )
  api.delete(
    issuerPaths.item,
    { config: requires('Sallyport/issuers/delete'), schema: { params: Params } },
    async (request, reply) => {
      const alias = checkedAlias(request.params.alias)
      const isRemoved = await issuers.remove(alias)
      if (isRemoved) {
        const by = principalOf(request).objectId
        request.log.info({ event: 'issuer.deleted', issuer: alias, by })
      }
      return reply.code(isRemoved ? 200 : 204).send()
    },
  )
}

function checkedAlias(alias: string): string {
  if (aliasRule.test(alias)) return alias
  throw new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    'an alias has 1 to 32 lower-case letters, digits and hyphens, no hyphen at either end, and is neither check nor callback',
    { target: 'alias' },
  )
}
