/**
 * The fastify instance routes are added to: TypeBox types for params, bodies and answers.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'

/** As a function, because the type of `withTypeProvider` cannot be named shorter. */
export function typed(app: FastifyInstance) {
  return app.withTypeProvider<TypeBoxTypeProvider>()
}

/** A fastify instance whose routes are typed by their schemas. */
export type Api = ReturnType<typeof typed>
