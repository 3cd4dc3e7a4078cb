/**
 * The directory over Graph: pages, names in filters, errors, and text that is not to be trusted.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hasDangerousCharacter } from '../../src/output/escape.ts'
import { cli, temporaryDirectory } from '../run-cli.ts'
import { applications, startProviderHub, type ProviderHub } from './provider-hub.ts'

let hub: ProviderHub
const home = { path: '' }
const seen: string[] = []
const id = '11111111-1111-4111-8111-111111111111'
const answers: Record<string, { status: number; body: unknown }> = {}

beforeAll(async () => {
  hub = await startProviderHub()
  hub.instead = (request: IncomingMessage, response) => {
    if (request.url?.startsWith('/v1.0/') !== true) return false
    const line = `${request.method} ${decodeURIComponent(request.url)}`
    seen.push(line)
    const { status, body } = answers[line] ?? { status: 404, body: {} }
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
    return true
  }
})
afterAll(() => hub.stop())

async function ad(words: string[]) {
  home.path = temporaryDirectory()
  const { clientId, clientSecret } = applications.secret
  const env = { SALLYPORT_CLIENT_SECRET: clientSecret }
  const login = ['login', '--service-principal', '-u', clientId, '--hub', hub.url]
  await cli([...login, '--ca-file', hub.caFile], { home: home.path, env })
  return cli(['ad', ...words], { home: home.path })
}

it('lists over all pages, and follows no link to another hub (T-CLI-3)', async () => {
  const next = `${hub.url}/graph/v1.0/users?$skiptoken=2`
  answers['GET /v1.0/users'] = { status: 200, body: { value: [{ id }], '@odata.nextLink': next } }
  answers['GET /v1.0/users?$skiptoken=2'] = { status: 200, body: { value: [{ id: 'b' }] } }
  expect((await ad(['user', 'list', '--query', '[].id', '-o', 'tsv'])).stdout).toBe(`${id}\nb\n`)
  const away = { value: [], '@odata.nextLink': 'https://elsewhere.example/v1.0/users' }
  answers['GET /v1.0/users'] = { status: 200, body: away }
  expect((await ad(['user', 'list'])).code).toBe(5)
})
it('a name with a quote stays a name; several of one name are an error', async () => {
  const line = "GET /v1.0/groups?$filter=displayName eq 'o''ps'"
  answers[line] = { status: 200, body: { value: [{ id, displayName: "o'ps" }] } }
  const shown = await ad(['group', 'show', '-g', "o'ps", '--query', 'id', '-o', 'tsv'])
  expect(shown.stdout, seen.join('\n')).toBe(`${id}\n`)
  answers[line] = { status: 200, body: { value: [{ id }, { id: 'b' }] } }
  const several = await ad(['group', 'show', '-g', "o'ps"])
  expect(several.code).toBe(2)
  expect(several.stderr).toContain(id)
})
it('T-TERM-1: names and errors are shown escaped; the code of the hub decides the exit', async () => {
  const evil = 'A\u001b]52;c;x\u0007\u202eB'
  answers['GET /v1.0/users/a'] = { status: 200, body: { id, displayName: evil } }
  const table = await ad(['user', 'show', '--id', 'a', '-o', 'table'])
  expect(table.stdout).toContain('A\\u001b]52')
  expect(hasDangerousCharacter(table.stdout.replaceAll('\n', ''))).toBe(false)
  const innerError = { code: 'ERR_LAST_ADMINISTRATOR', remedy: 'make another one' }
  const body = { error: { code: 'x', message: evil, innerError } }
  answers['DELETE /v1.0/users/a'] = { status: 409, body }
  const { code, stderr } = await ad(['user', 'delete', '--id', 'a'])
  expect(code).toBe(8)
  expect(stderr).toContain('make another one')
  expect(hasDangerousCharacter(stderr.replaceAll('\n', ''))).toBe(false)
})
it('create-for-rbac prints the secret once', async () => {
  const appId = '22222222-2222-4222-8222-222222222222'
  answers['POST /v1.0/applications'] = { status: 201, body: { id, appId } }
  answers['POST /v1.0/servicePrincipals'] = { status: 201, body: { id, appId } }
  answers[`POST /v1.0/servicePrincipals/${id}/addPassword`] = {
    status: 200,
    body: { secretText: 'shown-once' },
  }
  const { code, stdout, stderr } = await ad(['sp', 'create-for-rbac', '-n', 'ci', '-o', 'json'])
  expect(code, stderr).toBe(0)
  const { tenantId: tenant } = hub
  expect(JSON.parse(stdout)).toEqual({ appId, displayName: 'ci', password: 'shown-once', tenant })
  expect(stderr).not.toContain('shown-once')
})
