/**
 * `/sallyport/v1/signingKeys/rotate`: a new key before its time, or at once when the old one was stolen.
 * @module
 */
import Type from 'typebox'
import { requires } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'

/** Adds the route. */
export function registerSigningKeyRoutes(api: Api, context: ApiContext): void {
  api.post(
    '/sallyport/v1/signingKeys/rotate',
    {
      config: requires('Sallyport/signingKeys/rotate/action'),
      schema: {
        body: Type.Object(
          {
            /** Those of access tokens and cookies, or those agents pin. */
            use: Type.Union([Type.Literal('access-token'), Type.Literal('cluster-token')]),
            retire: Type.Optional(Type.Literal('now')),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ use: Type.String(), kid: Type.String() }) },
      },
    },
    async (request) => {
      const { use, retire } = request.body
      const kid =
        use === 'access-token'
          ? await context.rotateAccessTokenKeys(retire)
          : await context.keyRotation.rotate(retire)
      request.log.warn({ event: 'keys.rotated', use, kid, retired: retire === 'now' })
      return { use, kid }
    },
  )
}
