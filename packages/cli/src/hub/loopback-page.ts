/**
 * The small pages a browser shows when it comes back from the hub.
 * @module
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

const style =
  ':root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}'
const styleHash = createHash('sha256').update(style).digest('base64')

const pages = {
  done: {
    status: 200,
    title: 'Signed in',
    text: 'You can close this window and go back to the terminal.',
  },
  failed: {
    status: 400,
    title: 'Sign-in failed',
    text: 'The terminal says why. You can close this window.',
  },
  elsewhere: {
    status: 404,
    title: 'Nothing here',
    text: 'This is not the answer to the sign-in that is waiting. It goes on waiting.',
  },
} as const

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeHtml = (text: string) =>
  text.replaceAll(/[&<>"]/g, (character) => escapes[character] ?? character)

/** Sends a page and waits until it is out. */
export async function sendPage(
  response: ServerResponse,
  name: keyof typeof pages,
  greeting?: string,
): Promise<void> {
  const { status, title, text } = pages[name]
  const greeted = greeting === undefined ? '' : `<p>${escapeHtml(greeting)}</p>`
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'`,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  })
  response.end(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title} - Sallyport</title><style>${style}</style></head><body><main><h1>${title}</h1>${greeted}<p>${text}</p></main></body></html>\n`,
  )
  if (!response.writableFinished && !response.destroyed) {
    await Promise.race([once(response, 'finish'), once(response, 'close')])
  }
}
