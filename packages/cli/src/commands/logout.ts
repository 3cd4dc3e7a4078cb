/**
 * `sallyport logout`.
 * @module
 */
import { readProfile, updateProfile } from '../credentials/profile.ts'
import { updateSecrets } from '../credentials/secrets.ts'
import { chosenOrigin } from '../hub/session.ts'
import type { Command } from './command.ts'

/** Forgets secret and tokens of a hub; its CA stays known. */
export const logout: Command = {
  summary: 'sign out and forget the credentials',
  options: [],
  examples: [{ what: 'forget secret and token of the current hub', line: 'sallyport logout' }],
  run: async (context) => {
    const { directories, signal } = context
    const origin = chosenOrigin(context, readProfile(directories.config))
    if (origin === undefined) {
      context.say('nobody is signed in')
      return 0
    }
    const place = { configDirectory: directories.config, origin, signal }
    await updateSecrets(place, () => undefined)
    await updateProfile(directories.config, signal, (profile) => {
      const hub = profile.hubs[origin]
      if (hub !== undefined) delete hub.account
    })
    context.say(`signed out at ${origin}`)
    return 0
  },
}
