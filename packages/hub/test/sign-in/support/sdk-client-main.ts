/**
 * Azure's clients as their users run them, in a process that knows the hub's CA by its environment. Says one JSON line for each thing
 * that happened.
 * @module
 */
import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  DeviceCodeCredential,
  type TokenCredential,
} from '@azure/identity'
import { PublicClientApplication } from '@azure/msal-node'

const [way = '', hub = '', tenantId = '', clientId = ''] = process.argv.slice(2)
const options = { authorityHost: hub, disableInstanceDiscovery: true }
const say = (what: Record<string, unknown>): void => {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}

function credential(): TokenCredential {
  const secret = process.env['CLIENT_PROOF'] ?? ''
  switch (way) {
    case 'certificate':
      return new ClientCertificateCredential(tenantId, clientId, { certificate: secret }, options)
    case 'workload':
      return new ClientAssertionCredential(
        tenantId,
        clientId,
        () => Promise.resolve(secret),
        options,
      )
    default:
      return new DeviceCodeCredential({
        ...options,
        tenantId,
        userPromptCallback: ({ userCode, verificationUri }) => {
          say({ userCode, verificationUri })
        },
      })
  }
}

async function msal(): Promise<void> {
  const app = new PublicClientApplication({
    auth: {
      clientId,
      authority: `${hub}/${tenantId}`,
      knownAuthorities: [new URL(hub).host],
    },
  })
  const scopes = [`${hub}/.default`]
  const first = await app.acquireTokenInteractive({
    scopes,
    openBrowser: (open) => {
      say({ open })
      return Promise.resolve()
    },
  })
  if (first.account === null) throw new Error('no account')
  const second = await app.acquireTokenSilent({
    scopes,
    account: first.account,
    forceRefresh: true,
  })
  say({
    username: first.account.username,
    homeAccountId: first.account.homeAccountId,
    token: second.accessToken,
    isAnother: first.accessToken !== second.accessToken,
  })
}

if (way === 'msal') await msal()
else {
  const token = await credential().getToken(`${hub}/.default`)
  say({ token: token?.token })
}
