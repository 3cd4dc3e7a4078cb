/**
 * The pages of sign-in: plain HTML forms that work without scripts.
 * @module
 */
import { html, type Html } from './html.ts'
import { renderPage } from './page.ts'

/** Where somebody may sign in besides here. */
export interface SignInOption {
  alias: string
  displayName: string
}

function alert(text: string | undefined): Html {
  return html`<div role="alert">
    ${text === undefined ? undefined : html`<p class="alert">${text}</p>`}
  </div>`
}

/** The sign-in page. */
export function signInPage(page: {
  host: string
  uid: string
  clientName: string
  options: SignInOption[]
  userName: string
  error?: string | undefined
}): string {
  const failed =
    page.error === undefined ? undefined : html` aria-describedby="problem" aria-invalid="true"`
  const start = page.userName === ''
  return renderPage({
    host: page.host,
    title: page.error === undefined ? 'Sign in' : 'Sign in: try again',
    body: html`<h1>Sign in</h1>
      <p class="quiet">to continue to ${page.clientName}</p>
      <div id="problem">${alert(page.error)}</div>
      <form method="post" action="/signin/${page.uid}">
        <label for="username">User name</label>
        <input
          id="username"
          name="username"
          type="text"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          required
          maxlength="256"
          value="${page.userName}"
          ${failed}${start ? html` autofocus` : undefined}
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          maxlength="1024"
          ${failed}${start ? undefined : html` autofocus`}
        />
        <button type="submit">Sign in</button>
      </form>
      ${outside(page.uid, page.options)}`,
  })
}

function outside(uid: string, options: SignInOption[]): Html | undefined {
  if (options.length === 0) return undefined
  return html`<p class="or" aria-hidden="true">or</p>
    <nav aria-label="Other ways to sign in">
      ${options.map(
        ({ alias, displayName }) =>
          html`<a
            class="button"
            href="/signin/outside/${encodeURIComponent(alias)}?uid=${encodeURIComponent(uid)}"
            >Sign in with ${displayName}</a
          >`,
      )}
    </nav>`
}

/** Asks for a device code. */
export function deviceCodePage(page: {
  host: string
  action: string
  xsrf: string
  error?: string | undefined
}): string {
  return renderPage({
    host: page.host,
    title: page.error === undefined ? 'Enter code' : 'Enter code: try again',
    body: html`<h1>Enter the code</h1>
      <p class="quiet">
        Your terminal shows a code of eight letters. Enter it only if you started this sign-in
        yourself.
      </p>
      <div id="problem">${alert(page.error)}</div>
      <form method="post" action="${page.action}">
        <input type="hidden" name="xsrf" value="${page.xsrf}" />
        <label for="user_code">Code</label>
        <input
          id="user_code"
          name="user_code"
          type="text"
          class="code"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck="false"
          required
          maxlength="16"
          autofocus${page.error === undefined ? undefined : html` aria-describedby="problem" aria-invalid="true"`}
        />
        <button type="submit">Next</button>
      </form>`,
  })
}

/** Shows what a device code would let in, and asks. */
export function deviceConfirmPage(page: {
  host: string
  action: string
  xsrf: string
  userCode: string
  clientName: string
  address: string
}): string {
  return renderPage({
    host: page.host,
    title: 'Confirm sign-in',
    body: html`<h1>Is this you?</h1>
      <p class="quiet">
        A program asks to be signed in as you. Compare the code with the one in your terminal.
      </p>
      <dl>
        <div>
          <dt>Code</dt>
          <dd class="code">${page.userCode}</dd>
        </div>
        <div>
          <dt>Program</dt>
          <dd>${page.clientName}</dd>
        </div>
        <div>
          <dt>Asked from address</dt>
          <dd>${page.address}</dd>
        </div>
      </dl>
      <p>If somebody sent you this code, cancel: they would get your access.</p>
      <form method="post" action="${page.action}">
        <input type="hidden" name="xsrf" value="${page.xsrf}" />
        <input type="hidden" name="user_code" value="${page.userCode}" />
        <button type="submit" name="confirm" value="yes">Yes, sign in</button>
        <button type="submit" name="abort" value="yes" class="second">Cancel</button>
      </form>`,
  })
}

/** Asks whether to sign out. */
export function signOutPage(page: { host: string; action: string; xsrf: string }): string {
  return renderPage({
    host: page.host,
    title: 'Sign out',
    body: html`<h1>Sign out?</h1>
      <p class="quiet">
        This browser forgets you, and programs that were signed in through it are signed out.
      </p>
      <form method="post" action="${page.action}">
        <input type="hidden" name="xsrf" value="${page.xsrf}" />
        <input type="hidden" name="logout" value="yes" />
        <button type="submit" autofocus>Sign out</button>
      </form>`,
  })
}

/** Says something and asks nothing. */
export function messagePage(page: {
  host: string
  title: string
  text: string
  isError?: boolean
}): string {
  const text =
    page.isError === true
      ? html`<div role="alert"><p class="alert">${page.text}</p></div>`
      : html`<p class="quiet" role="status">${page.text}</p>`
  return renderPage({
    host: page.host,
    title: page.title,
    body: html`<h1>${page.title}</h1>
      ${text}`,
  })
}
