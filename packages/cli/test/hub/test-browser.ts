/**
 * A browser without a screen: keeps cookies, follows redirects, trusts one CA.
 * @module
 */
import { Agent, fetch, type RequestInit, type Response } from 'undici'

/** Where a walk ended. */
export interface Visit {
  url: string
  status: number
  headers: Response['headers']
  text: string
}

const maxRedirects = 20

/** Makes a browser with an empty cookie jar. */
export function createBrowser(ca: string) {
  const dispatcher = new Agent({ connect: { ca } })
  const jar = new Map<string, string>()
  const once = async (url: string, init: RequestInit): Promise<Response> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      ...init,
      dispatcher,
      redirect: 'manual',
      headers: { ...(init.headers as Record<string, string> | undefined), cookie },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }
  const visit = async (address: string, form?: Record<string, string>): Promise<Visit> => {
    let url = address
    let init: RequestInit =
      form === undefined
        ? {}
        : {
            method: 'POST',
            body: new URLSearchParams(form).toString(),
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          }
    for (let hop = 0; hop < maxRedirects; hop++) {
      const response = await once(url, init)
      const location = response.headers.get('location')
      if (location === null) {
        const { status, headers } = response
        return { url, status, headers, text: await response.text() }
      }
      await response.arrayBuffer()
      url = new URL(location, url).href
      init = {}
    }
    throw new Error('too many redirects')
  }
  return { visit, close: () => dispatcher.close() }
}
