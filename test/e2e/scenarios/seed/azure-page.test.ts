/**
 * The Bash tab of the Azure Arc page, each option from its first command to the list of pods.
 * @module
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createActor, sallyportOk } from '../../src/actors.ts'
import { azureBlocks, hasAzurePage } from '../../src/azure-page.ts'
import { openBrowser, type Browser } from '../../src/browser.ts'
import { fillIn, type CommandBlock } from '../../src/command-blocks.ts'
import { createApplication, createPerson, type Application } from '../../src/directory.ts'
import { cluster, lab } from '../../src/proxied.ts'
import { openShell, type Shell } from '../../src/shell.ts'
import { makeOpener, signIn, type Person } from '../../src/sign-in.ts'
import { verifies } from '../../src/verifies.ts'
import { createWorkload, removeWorkload } from '../../src/workload.ts'

let person: Person
let application: Application
let browser: Browser
let opened: () => Promise<string>
/** At the cluster, with its kubeconfig. */
let operator: Shell
/** The client device of the page's second half. */
let person1: Shell
let pipeline: Shell
const unused = new Set<CommandBlock>()

beforeAll(async () => {
  if (!hasAzurePage) return
  for (const block of azureBlocks()) unused.add(block)
  const { directory, network, hub, operator: atCluster } = lab()
  await createWorkload('azure-page', 'shop')
  person = await createPerson('erin@example.com')
  application = await createApplication('page-application')
  const developer = createActor(join(directory, 'erin'), network.laptop)
  const robot = createActor(join(directory, 'page-application'), network.laptop)
  browser = await openBrowser(developer, hub.caFile)
  const opener = makeOpener(developer)
  opened = opener.opened
  const { kubectl, kubeconfig } = cluster()
  operator = openShell(atCluster, { kubectl, env: { KUBECONFIG: kubeconfig } })
  person1 = openShell(developer, { kubectl, env: opener.env })
  pipeline = openShell(robot, {
    kubectl,
    env: { CI: 'true', SALLYPORT_CLIENT_SECRET: application.secret },
  })
})
afterAll(async () => {
  if (!hasAzurePage) return
  for (const shell of [operator, person1, pipeline]) await shell[Symbol.asyncDispose]()
  await browser[Symbol.asyncDispose]()
  await removeWorkload('azure-page')
  const { operator: atCluster } = lab()
  await sallyportOk(atCluster, ['ad', 'user', 'delete', '--id', person.userPrincipalName])
  await sallyportOk(atCluster, ['ad', 'sp', 'delete', '--id', application.appId])
})

/** The block of the page that says this, with its placeholders filled in. */
function blockWith(words: string): string {
  const { clusterName, resourceGroup } = lab()
  const block = azureBlocks().find(({ text }) => text.includes(words))
  if (block === undefined) throw new Error(`the page has no block with: ${words}`)
  for (const other of unused) if (other.line === block.line) unused.delete(other)
  return fillIn(block.text, {
    'cluster-name': clusterName,
    'resource-group-name': resourceGroup,
    id: application.appId,
  })
}

async function ok(shell: Shell, commands: string): Promise<string> {
  const result = await shell.run(commands)
  expect(result, commands).toMatchObject({ code: 0 })
  return result.output
}

/** Hands a variable of one shell to another. */
async function tell(from: Shell, to: Shell, name: string): Promise<void> {
  const value = await ok(from, `printf '%s' "$${name}"`)
  expect(value).not.toBe('')
  await ok(to, `${name}='${value}'`)
}

const proxy = 'connectedk8s proxy -n $CLUSTER_NAME -g $RESOURCE_GROUP\n'

/** Opens the way with the commands of the page, lists the pods with it, and closes it. */
async function access(shell: Shell, command: string): Promise<void> {
  await shell.background(command, /is ready at/)
  expect(await ok(shell, blockWith('kubectl get pods -A'))).toMatch(/^NAMESPACE.*\n.*shop/)
  await ok(shell, 'kill -INT %%\nwait %% || true')
}

const plainProxy = (): string => {
  const block = azureBlocks().find(({ text }) => `${text}\n`.includes(proxy))
  return blockWith(block?.text ?? proxy)
}

async function authorise(): Promise<void> {
  await ok(operator, blockWith('--user=$AAD_ENTITY_OBJECT_ID'))
  await ok(operator, blockWith('role assignment create --role "Azure Arc Kubernetes Viewer"'))
}

async function withdraw(): Promise<void> {
  await ok(
    operator,
    [
      'kubectl delete clusterrolebinding demo-user-binding',
      'sallyport role assignment delete --assignee $AAD_ENTITY_OBJECT_ID --scope $ARM_ID_CLUSTER --yes',
    ].join('\n'),
  )
}

/** The client device needs the names; the id needs the right to read the resource, which neither role gives. */
function namesOf(variables: string): string {
  return variables
    .split('\n')
    .filter((line) => !line.startsWith('ARM_ID_CLUSTER='))
    .join('\n')
}

async function userOption(): Promise<void> {
  const { hub } = lab()
  const at = `--hub ${hub.url} --hub-fingerprint ${hub.fingerprint}`
  const [signedIn] = await Promise.all([
    person1.run(`sallyport login ${at} --allow-no-subscriptions`),
    opened().then((address) => signIn(browser.context, address, person)),
  ])
  expect(signedIn).toMatchObject({ code: 0 })
  const variables = blockWith('CLUSTER_NAME=')
  await ok(operator, variables)
  await ok(person1, blockWith('ad signed-in-user show'))
  await tell(person1, operator, 'AAD_ENTITY_OBJECT_ID')
  await authorise()
  await ok(person1, namesOf(variables))
  await access(person1, plainProxy())
  await withdraw()
}

async function applicationOption(): Promise<void> {
  const { hub } = lab()
  await ok(operator, blockWith('ad sp show --id'))
  await authorise()
  await ok(
    pipeline,
    `sallyport login --service-principal -u ${application.appId} --hub ${hub.url} --hub-fingerprint ${hub.fingerprint}`,
  )
  await ok(pipeline, namesOf(blockWith('CLUSTER_NAME=')))
  await access(pipeline, plainProxy())
}

async function serviceAccountOption(): Promise<void> {
  await ok(operator, 'kubectl delete clusterrolebinding demo-user-binding')
  await ok(operator, blockWith('kubectl create serviceaccount demo-user'))
  await ok(operator, blockWith('--serviceaccount default:demo-user'))
  await ok(operator, blockWith('kubernetes.io/service-account-token'))
  const token = blockWith('TOKEN=$(kubectl get secret')
  // The controller fills the Secret in a moment after it was made; a reader is slower than this.
  await ok(
    operator,
    `until kubectl get secret demo-user-secret -o yaml | grep -q token:; do :; done`,
  )
  await ok(operator, token)
  expect(await ok(operator, blockWith('echo $TOKEN'))).toMatch(/^ey/)
  await tell(operator, pipeline, 'TOKEN')
  await access(pipeline, blockWith('--token $TOKEN'))
  await ok(
    operator,
    [
      'kubectl delete clusterrolebinding demo-user-binding',
      'kubectl delete secret demo-user-secret',
      'kubectl delete serviceaccount demo-user',
      'sallyport role assignment delete --assignee $AAD_ENTITY_OBJECT_ID --scope $ARM_ID_CLUSTER --yes',
    ].join('\n'),
  )
}

if (hasAzurePage) {
  verifies(
    'seed.azure-page',
    async () => {
      await userOption()
      await applicationOption()
      await serviceAccountOption()
      expect([...unused].map(({ text }) => text)).toEqual([])
    },
    300_000,
  )
} else {
  test('the Azure Arc page does not lie beside this checkout: not run', () => {
    expect(hasAzurePage).toBe(false)
  })
}
