/**
 * docs/cluster-connect.md, run top to bottom on the real cluster by an operator, a person and a pipeline.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { createActor, sallyportOk } from '../../src/actors.ts'
import { openBrowser, type Browser } from '../../src/browser.ts'
import { commandBlocks } from '../../src/command-blocks.ts'
import { createPerson } from '../../src/directory.ts'
import { walk } from '../../src/page-walk.ts'
import { cluster, lab } from '../../src/proxied.ts'
import { openShell, type Shell } from '../../src/shell.ts'
import { makeOpener, signIn, type Person } from '../../src/sign-in.ts'
import { verifies } from '../../src/verifies.ts'
import { createWorkload, removeWorkload } from '../../src/workload.ts'

const page = readFileSync(new URL('../../../../docs/cluster-connect.md', import.meta.url), 'utf8')
let person: Person
let browser: Browser
let shells: Record<'operator' | 'developer' | 'pipeline', Shell>
let opened: () => Promise<string>

beforeAll(async () => {
  const { directory, network, hub, operator } = lab()
  await createWorkload('page', 'shop')
  person = await createPerson('dana@example.com')
  const developer = createActor(join(directory, 'dana'), network.laptop)
  const pipeline = createActor(join(directory, 'pipeline'), network.laptop)
  browser = await openBrowser(developer, hub.caFile)
  const opener = makeOpener(developer)
  opened = opener.opened
  const { kubectl, kubeconfig } = cluster()
  shells = {
    operator: openShell(operator, { kubectl, env: { KUBECONFIG: kubeconfig } }),
    developer: openShell(developer, { kubectl, env: opener.env }),
    pipeline: openShell(pipeline, { kubectl, env: { CI: 'true' } }),
  }
})
afterAll(async () => {
  for (const shell of Object.values(shells)) await shell[Symbol.asyncDispose]()
  await browser[Symbol.asyncDispose]()
  await removeWorkload('page')
  await sallyportOk(lab().operator, ['ad', 'user', 'delete', '--id', person.userPrincipalName])
})

verifies(
  'seed.page',
  async () => {
    const { hub, clusterName, resourceGroup } = lab()
    const blocks = commandBlocks(page).filter(({ language }) => language === 'bash')
    await walk(blocks, {
      shells,
      values: {
        'hub-url': hub.url,
        'hub-ca-file': hub.caFile,
        'hub-fingerprint': hub.fingerprint,
        'cluster-name': clusterName,
        'resource-group-name': resourceGroup,
      },
      signIn: async () => {
        const window = await signIn(browser.context, await opened(), person)
        await window.getByText(/signed in/i).waitFor()
      },
    })
  },
  300_000,
)
