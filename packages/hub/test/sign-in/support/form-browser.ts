/**
 * A browser without scripts: cookies by the rules that matter here, redirects, forms.
 * @module
 */
import { call, type Answer } from '../../hub-fixture.ts'

interface Cookie {
  value: string
  path: string
}

/** A page or the place outside the hub a redirect led to. */
export interface Visited {
  url: string
  answer: Answer
}

/** One browser. */
export class FormBrowser {
  readonly #origin: string
  readonly #ca: string
  readonly cookies = new Map<string, Cookie>()
  /** Headers every request has besides; for attacks. */
  extra: Record<string, string> = {}
  /** What the last page was. */
  at: Visited = { url: '', answer: { status: 0, headers: {}, text: '', json: () => ({}) } }

  constructor(origin: string, ca: string) {
    this.#origin = origin
    this.#ca = ca
  }

  /** Opens an address and follows redirects while they stay at the hub. */
  open(url: string): Promise<Visited> {
    return this.#go(new URL(url, this.#origin).href, 'GET')
  }

  /** Sends the form of the page, with its hidden fields and `fields`. */
  async submit(
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Visited> {
    const { text } = this.at.answer
    const action = /<form method="post" action="([^"]+)"/.exec(text)?.[1] ?? ''
    const form = new URLSearchParams()
    for (const [, name = '', value = ''] of text.matchAll(
      /<input type="hidden" name="([^"]+)" value="([^"]*)"/g,
    )) {
      form.set(name, value)
    }
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    return this.#go(new URL(action, this.at.url).href, 'POST', {
      body: form.toString(),
      headers: { origin: this.#origin, ...headers },
    })
  }

  async #go(
    url: string,
    method: string,
    options: { body?: string; headers?: Record<string, string> } = {},
  ): Promise<Visited> {
    const cookie = this.#cookiesFor(new URL(url).pathname)
    const answer = await call(url, {
      ca: this.#ca,
      method,
      headers: {
        ...this.extra,
        ...(cookie === '' ? {} : { cookie }),
        ...(options.body === undefined
          ? {}
          : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: options.body }),
    })
    for (const line of answer.headers['set-cookie'] ?? []) this.#keep(line)
    const { location } = answer.headers
    if (location === undefined) return (this.at = { url, answer })
    const next = new URL(location, url)
    if (next.origin !== this.#origin) return (this.at = { url: next.href, answer })
    return this.#go(next.href, 'GET')
  }

  #cookiesFor(path: string): string {
    return [...this.cookies]
      .filter(
        ([, cookie]) => path === cookie.path || path.startsWith(cookie.path.replace(/\/?$/, '/')),
      )
      .map(([name, cookie]) => `${name}=${cookie.value}`)
      .join('; ')
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals)
    const path = attributes.find((each) => each.startsWith('path='))?.slice(5) ?? '/'
    const isOver = attributes.some((each) => /^expires=Thu, 01 Jan 1970/i.test(each))
    if (isOver) this.cookies.delete(name)
    else this.cookies.set(name, { value: pair.slice(equals + 1), path })
  }
}
