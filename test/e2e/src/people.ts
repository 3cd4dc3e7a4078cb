/**
 * People of the hub under test, signed in at a laptop with the real browser.
 * @module
 */
import { join } from 'node:path'
import { createActor, sallyportStart, type Actor } from './actors.ts'
import { openBrowser } from './browser.ts'
import { allowEntry, createPerson, type KnownPerson } from './directory.ts'
import { lab } from './proxied.ts'
import { makeOpener, signIn } from './sign-in.ts'

/** A person at a machine. */
export interface SignedInPerson extends KnownPerson {
  actor: Actor
}

/** Makes a person who may ask for a way in, and signs in with a browser. */
export async function signInPerson(name: string): Promise<SignedInPerson> {
  const { directory, network, hub } = lab()
  const made = await createPerson(`${name}@example.com`)
  await allowEntry(made.objectId)
  const actor = createActor(join(directory, name), network.laptop)
  const opener = makeOpener(actor)
  await using browser = await openBrowser(actor, hub.caFile)
  const login = sallyportStart(
    actor,
    [
      ...['login', '--hub', hub.url, '--hub-fingerprint', hub.fingerprint],
      '--allow-no-subscriptions',
    ],
    { env: opener.env },
  )
  await signIn(browser.context, await opener.opened(), made)
  const { code, stderr } = await login.ended
  if (code !== 0) throw new Error(stderr)
  return { ...made, actor }
}
