/**
 * What every sign-in page is made of: the frame around it and the headers that keep it from being framed, scripted, stored or restyled.
 * @module
 */
import { createHash } from 'node:crypto'
import { Html, html } from './html.ts'
import { style } from './style.ts'

const styleHash = createHash('sha256').update(style).digest('base64')

/**
 * Headers of every answer for a browser. Forms go to this hub; the redirect that ends a sign-in goes to a loopback address, and
 * Chromium holds redirects after a form to `form-action` too.
 */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    "form-action 'self' http://localhost:* http://127.0.0.1:*",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; '),
  'cache-control': 'no-store',
  // With `no-referrer` a browser would send forms with `Origin: null`, and the same-origin check could not pass.
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
}

/** A page before it is framed. */
export interface Page {
  title: string
  body: Html
  /** Host of the hub, so that people can see whose page it is. */
  host: string
}

/** A gate in a wall: the way out that is also the way in. */
const mark = new Html(
  '<svg viewBox="0 0 32 32" aria-hidden="true" focusable="false"><path fill="currentColor" d="M4 7h4v3h4V7h8v3h4V7h4v20h-8v-5a4 4 0 0 0-8 0v5H4z"/></svg>',
)

/** Made here and not in the template: the hash is of these very characters, and formatters like to move them. */
const styleElement = new Html(`<style>${style}</style>`)

/** The whole document. */
export function renderPage({ title, body, host }: Page): string {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Sallyport</title>
        ${styleElement}
      </head>
      <body>
        <header>${mark}<span>Sallyport</span></header>
        <main>${body}</main>
        <footer>${host}</footer>
      </body>
    </html> `
  return document.text
}
