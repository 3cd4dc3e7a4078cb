/**
 * Calls of the OpenID provider in this process. It sees the headers named here and no others, and of its answers nothing but the
 * headers named here gets out.
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { inject, type Response } from 'light-my-request'
import { pageHeaders } from '../sign-in/page.ts'
import type { Issuer } from './issuer.ts'

/** A call. */
export interface InnerRequest {
  method: 'GET' | 'POST'
  url: string
  form?: URLSearchParams
  authorization?: string | undefined
  /** The browser's request: its cookies go in, and the address its user is shown. */
  browser?: FastifyRequest
  /** Address of the caller, for who confirms a device code. */
  address?: string
}

/** Calls the provider with the host name of `publicUrl`, whatever `Host` the client sent. */
export function callProvider(
  publicUrl: string,
  { provider }: Issuer,
  inner: InnerRequest,
): Promise<Response> {
  const handle = provider().callback()
  const cookie = inner.browser?.headers.cookie
  const address = inner.browser?.ip ?? inner.address
  return inject((request, response) => void handle(request, response), {
    method: inner.method,
    url: inner.url,
    authority: new URL(publicUrl).host,
    ...(address === undefined ? {} : { remoteAddress: address }),
    headers: {
      accept: inner.browser === undefined ? 'application/json' : 'text/html',
      'x-forwarded-proto': 'https',
      ...(cookie === undefined ? {} : { cookie }),
      ...(inner.authorization === undefined ? {} : { authorization: inner.authorization }),
      ...(inner.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(inner.form === undefined ? {} : { payload: inner.form.toString() }),
  })
}

/** Hands on status, body and caching of a JSON answer. */
export function forwardJson(reply: FastifyReply, answer: Response): FastifyReply {
  const caching = answer.headers['cache-control']
  if (typeof caching === 'string') reply.header('cache-control', caching)
  return reply.code(answer.statusCode).type('application/json; charset=utf-8').send(answer.payload)
}

/** Hands on an answer for a browser: a page, which `change` may rewrite, or a redirect, and cookies. */
export function forwardPage(
  reply: FastifyReply,
  answer: Response,
  change: (page: string) => string = (page) => page,
): FastifyReply {
  const { location } = answer.headers
  const cookies = answer.headers['set-cookie']
  if (cookies !== undefined) reply.header('set-cookie', cookies)
  reply.headers(pageHeaders).code(answer.statusCode)
  if (answer.statusCode >= 300 && answer.statusCode < 400 && typeof location === 'string') {
    return reply.header('location', location).send()
  }
  const type = answer.headers['content-type']
  return reply.type(typeof type === 'string' ? type : 'text/plain').send(change(answer.payload))
}
