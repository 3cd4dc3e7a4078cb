/**
 * The pages the OpenID provider asks for itself: device codes, sign-out, errors.
 * @module
 */
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { publicClientName } from '../openid/clients.ts'
import { Html, html } from './html.ts'
import { renderPage } from './page.ts'
import { deviceCodePage, deviceConfirmPage, messagePage, signOutPage } from './pages.ts'

type Features = NonNullable<Configuration['features']>

function send(context: KoaContextWithOIDC, page: string): void {
  context.type = 'html'
  context.body = page
}

/** The value that ties a form to the session it was shown in. */
function xsrfOf(context: KoaContextWithOIDC): string {
  const state = context.oidc.session?.state as { secret?: unknown } | undefined
  return typeof state?.secret === 'string' ? state.secret : ''
}

/** The error a person sees for a code that does not work; the same for wrong, used and expired ones. */
const wrongCode = 'This code is not valid, or no longer. Check it, or start again in the terminal.'

/** Pages of device codes. */
export function deviceFlowPages(
  host: string,
): Pick<
  NonNullable<Features['deviceFlow']>,
  'userCodeInputSource' | 'userCodeConfirmSource' | 'successSource'
> {
  return {
    userCodeInputSource: (...[context, , , error]) => {
      if (error?.name === 'AbortedError') {
        send(
          context,
          messagePage({
            host,
            title: 'Cancelled',
            text: 'Nobody was signed in. You can close this window.',
          }),
        )
        return
      }
      send(
        context,
        deviceCodePage({
          host,
          action: '/device',
          xsrf: xsrfOf(context),
          error: error === undefined ? undefined : wrongCode,
        }),
      )
    },
    userCodeConfirmSource: (...[context, , client, deviceInfo, userCode]) => {
      const address = deviceInfo['ip']
      send(
        context,
        deviceConfirmPage({
          host,
          action: '/device',
          xsrf: xsrfOf(context),
          userCode,
          clientName: publicClientName(client.clientId) ?? client.clientId,
          address: typeof address === 'string' ? address : 'unknown',
        }),
      )
    },
    successSource: (context) => {
      send(
        context,
        messagePage({
          host,
          title: 'Signed in',
          text: 'Go on in your terminal. You can close this window.',
        }),
      )
    },
  }
}

/** Pages of sign-out. */
export function logoutPages(
  host: string,
): Pick<NonNullable<Features['rpInitiatedLogout']>, 'logoutSource' | 'postLogoutSuccessSource'> {
  return {
    logoutSource: (context) => {
      const action = `${new URL(context.oidc.urlFor('end_session')).pathname}/confirm`
      send(context, signOutPage({ host, action, xsrf: xsrfOf(context) }))
    },
    postLogoutSuccessSource: (context) => {
      send(context, signedOutPage(host))
    },
  }
}

/** The page after sign-out. */
export function signedOutPage(host: string): string {
  return messagePage({ host, title: 'Signed out', text: 'You can close this window.' })
}

/** The page of an error that cannot be told to the client: its address is not to be trusted. */
export function errorPage(
  host: string,
  what: { error: string; description?: string | undefined },
): string {
  const description = what.description ?? 'the request cannot be answered'
  return messagePage({
    host,
    title: 'Sign-in failed',
    text: `${description} (${what.error}). Start again in the program you came from.`,
    isError: true,
  })
}

/** Sends the answer to the program by a form; action and inputs come from the provider, escaped already. */
export function postBackPage(host: string, action: string, inputs: string): string {
  return renderPage({
    host,
    title: 'Almost done',
    body: html`<h1>Almost done</h1>
      <p class="quiet">Go back to the program that asked you to sign in.</p>
      <form method="post" action="${new Html(action)}">
        ${new Html(inputs)}<button type="submit" autofocus>Continue</button>
      </form>`,
  })
}
