/**
 * A person signing in: what `sallyport login` opens is opened in the real browser, and its pages are filled in.
 * @module
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import type { Actor } from './actors.ts'
import { eventually } from './process.ts'

/** Who signs in. */
export interface Person {
  userPrincipalName: string
  password: string
}

/** The browser command of an actor: it notes the address it is told to open. */
export interface Opener {
  /** Environment for the CLI. */
  env: Record<string, string | undefined>
  /** The address the CLI wanted to have opened; forgets it. */
  opened: () => Promise<string>
}

/** Makes the browser command of an actor. */
export function makeOpener(actor: Actor): Opener {
  const note = join(actor.home, 'opened')
  const program = join(actor.home, 'open-browser')
  writeFileSync(
    program,
    `#!/bin/sh\nprintf '%s' "$1" > '${note}.new' && mv '${note}.new' '${note}'\n`,
  )
  chmodSync(program, 0o700)
  return {
    // A pipeline and a remote shell have no browser; this person sits at the machine.
    env: { BROWSER: program, CI: undefined, SSH_CONNECTION: undefined, SSH_TTY: undefined },
    opened: async () => {
      const address = await eventually(
        () => Promise.resolve(existsSync(note) ? readFileSync(note, 'utf8') : undefined),
        'an address to open',
      )
      rmSync(note)
      return address
    },
  }
}

/** Fills in the sign-in page and sends it. */
export async function fillSignIn(page: Page, person: Person): Promise<void> {
  await page.getByLabel(/user name|sign-in name/i).fill(person.userPrincipalName)
  await page.getByLabel(/password/i).fill(person.password)
  await page.getByRole('button', { name: /^sign in$/i }).click()
}

/** Opens an address that leads to the sign-in page, signs in, and returns the page where that ends. */
export async function signIn(
  context: BrowserContext,
  address: string,
  person: Person,
): Promise<Page> {
  const page = await context.newPage()
  await page.goto(address)
  await fillSignIn(page, person)
  return page
}
