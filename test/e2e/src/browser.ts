/**
 * A real Chromium at a developer's laptop: in its network namespace, trusting the hub's CA and nothing else new.
 * @module
 */
import { createHash, X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type BrowserContext } from 'playwright-core'
import type { Actor } from './actors.ts'

/** A browser window's worth of cookies, and its end. */
export interface Browser extends AsyncDisposable {
  context: BrowserContext
}

/** Without these it calls its maker's servers, which do not exist in the namespaces. */
const quietly = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts Chromium for an actor with an empty profile. `trusted` are certificates in PEM: the CA of the hub, servers of others. */
export async function openBrowser(actor: Actor, ...trusted: string[]): Promise<Browser> {
  const directory = mkdtempSync(join(actor.home, 'browser-'))
  const program = join(directory, 'chromium')
  const enter = actor.netns === undefined ? '' : `nsenter --net=/run/netns/${actor.netns} -- `
  writeFileSync(program, `#!/bin/sh\nexec ${enter}chromium "$@"\n`)
  chmodSync(program, 0o700)
  const keys = trusted.map((file) => {
    const { publicKey } = new X509Certificate(readFileSync(file))
    return createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64')
  })
  const context = await chromium.launchPersistentContext(join(directory, 'profile'), {
    executablePath: program,
    args: [...quietly, `--ignore-certificate-errors-spki-list=${keys.join(',')}`],
    env: { ...process.env, HOME: directory },
  })
  return {
    context,
    [Symbol.asyncDispose]: async () => {
      await context.close()
      rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    },
  }
}
