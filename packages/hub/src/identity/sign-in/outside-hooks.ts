/**
 * What the sign-in pages do for people who come from an outside issuer.
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SignInHooks } from '../issuers/outside-sign-in.ts'
import { messagePage } from './pages.ts'
import { sendPage } from './sign-in-routes.ts'

/** The sign-in under way in a browser. */
export interface OpenSignIn {
  find: (request: FastifyRequest, reply: FastifyReply) => Promise<{ uid: string } | undefined>
  finish: SignInHooks['finish']
}

/** Makes the hooks. */
export function outsideHooks(signIn: OpenSignIn, publicUrl: string): SignInHooks {
  const { host } = new URL(publicUrl)
  return {
    interactionOf: async (request, reply) => (await signIn.find(request, reply))?.uid,
    finish: signIn.finish,
    sendProblem: (reply, { status, text }) =>
      sendPage(
        reply.code(status),
        messagePage({ host, title: 'Sign-in failed', text, isError: true }),
      ),
  }
}
