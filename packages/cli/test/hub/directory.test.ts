/**
 * The directory from the terminal, against a real hub: who is made can sign in, gets roles by any of its names, and is gone at once.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLocalCertificates } from '../../src/proxy/certificates.ts'
import { cli, temporaryDirectory, type CliResult } from '../run-cli.ts'
import { login, signedIn, startRealHub, type RealHub } from './real-hub.ts'

let hub: RealHub
beforeAll(async () => {
  hub = await startRealHub()
}, 60_000)
afterAll(() => hub.stop())

interface Made {
  id: string
  appId: string
  keyId: string
  name: string
  password: string
  displayName: string
  userPrincipalName: string
  principalId: string
}

/** Runs lines in a home where the administrator is signed in. */
async function administrator() {
  const home = await signedIn(hub)
  const run = (...argv: string[]): Promise<CliResult> => cli([...argv, '-o', 'json'], { home })
  const ok = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...argv)
    expect(code, `${argv.join(' ')}: ${stderr}`).toBe(0)
    return stdout
  }
  const one = async (...argv: string[]): Promise<Made> => JSON.parse(await ok(...argv)) as Made
  const list = async (...argv: string[]): Promise<Made[]> => JSON.parse(await ok(...argv)) as Made[]
  const user = (name: string, displayName: string): Promise<Made> =>
    one(
      ...['ad', 'user', 'create', '--display-name', displayName],
      ...['--user-principal-name', `${name}@example.com`],
    )
  return { home, run, ok, one, list, user }
}

const signIn = (who: { clientId: string; secret?: string; more?: string[] }): Promise<CliResult> =>
  login(
    { ...hub, clientId: who.clientId },
    {
      home: temporaryDirectory(),
      secret: who.secret,
      more: ['--hub-fingerprint', hub.fingerprint, ...(who.more ?? [])],
    },
  )

describe('ad user and ad group', () => {
  it('are made, found by every name, changed and deleted', async () => {
    const { home, run, ok, one, list, user } = await administrator()
    const ada = await user('Ada', "Ada O'Hara")
    expect(ada.password.length).toBeGreaterThanOrEqual(24)
    const upn = ada.userPrincipalName
    expect((await one('ad', 'user', 'show', '--id', upn.toUpperCase())).id).toBe(ada.id)
    expect(await one('ad', 'user', 'show', '--id', ada.id)).not.toHaveProperty('password')
    const starting = await list('ad', 'user', 'list', '--display-name', "Ada O'")
    expect(starting.map(({ id }) => id)).toEqual([ada.id])
    const again = ['--user-principal-name', 'ADA@example.com', '--display-name', 'x']
    expect((await run('ad', 'user', 'create', ...again)).code).toBe(8)
    const weak = ['user', 'update', '--id', upn, '--password', '-']
    const refused = await cli(['ad', ...weak], { home, stdin: 'short' })
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).not.toContain('short')
    const fresh = 'correct horse battery staple 7'
    expect((await cli(['ad', ...weak], { home, stdin: fresh })).code).toBe(0)
    await ok('ad', 'user', 'update', '--id', upn, '--account-enabled', 'false')
    expect(await one('ad', 'user', 'show', '--id', upn)).toMatchObject({ accountEnabled: false })
    await ok('ad', 'user', 'delete', '--id', upn)
    expect((await run('ad', 'user', 'show', '--id', ada.id)).code).toBe(3)
  })

  it('members come and go, also through groups, and a circle of groups does no harm', async () => {
    const { run, ok, one, list, user } = await administrator()
    const bob = await user('bob', 'Bob')
    const outer = await one('ad', 'group', 'create', '--display-name', 'outer')
    const inner = await one('ad', 'group', 'create', '--display-name', 'inner')
    const member = (verb: string, group: string, id: string): string[] => [
      ...['ad', 'group', 'member', verb, '-g', group, '--member-id', id],
    ]
    await ok(...member('add', 'inner', bob.id))
    await ok(...member('add', 'outer', inner.id))
    await ok(...member('add', 'inner', outer.id))
    expect((await run(...member('add', 'inner', bob.id))).code).not.toBe(0)
    const members = await list('ad', 'group', 'member', 'list', '-g', outer.id)
    expect(members.map(({ id }) => id)).toEqual([inner.id])
    expect(await one(...member('check', 'outer', bob.id))).toEqual({ value: true })
    const groups = await list('ad', 'user', 'get-member-groups', '--id', 'bob@example.com')
    expect([...groups].sort()).toEqual([inner.id, outer.id].sort())
    await ok(...member('remove', 'inner', bob.id))
    expect(await one(...member('check', 'outer', bob.id))).toEqual({ value: false })
    await ok('ad', 'group', 'delete', '-g', 'inner')
    expect(await list('ad', 'group', 'member', 'list', '-g', 'outer')).toEqual([])
    expect((await run('ad', 'group', 'show', '-g', 'inner')).code).toBe(3)
  })
})

describe('ad sp', () => {
  it('signs in with what it was given, and with nothing that was taken away', async () => {
    const { home, run, ok, one, list } = await administrator()
    const made = await one('ad', 'sp', 'create-for-rbac', '-n', 'nightly')
    expect((await signIn({ clientId: made.appId, secret: made.password })).code).toBe(0)
    expect((await one('ad', 'sp', 'show', '--id', 'nightly')).appId).toBe(made.appId)
    const credential = ['ad', 'sp', 'credential']
    const by = ['--id', made.appId]
    const more = await one(...credential, 'reset', ...by, '--append', '--display-name', 'second')
    expect(await list(...credential, 'list', ...by)).toHaveLength(2)
    expect((await signIn({ clientId: made.appId, secret: made.password })).code).toBe(0)
    const last = await one(...credential, 'reset', ...by)
    const [left, ...others] = await list(...credential, 'list', ...by)
    expect(others).toEqual([])
    for (const secret of [made.password, more.password])
      expect((await signIn({ clientId: made.appId, secret })).code).toBe(4)
    expect((await signIn({ clientId: made.appId, secret: last.password })).code).toBe(0)
    await ok(...credential, 'delete', ...by, '--key-id', left?.keyId ?? '')
    expect((await signIn({ clientId: made.appId, secret: last.password })).code).toBe(4)

    const { clientCertificate, clientKey } = await createLocalCertificates()
    const pem = join(home, 'app.pem')
    writeFileSync(pem, clientCertificate + clientKey, { mode: 0o600 })
    const key = await one(...credential, 'reset', ...by, '--append', '--cert', `@${pem}`)
    const withKey = { clientId: made.appId, more: ['--certificate', pem] }
    const signedInByKey = await signIn(withKey)
    expect(signedInByKey.code, signedInByKey.stderr).toBe(0)
    expect((await list(...credential, 'list', ...by, '--cert')).map((one) => one.keyId)).toEqual([
      key.keyId,
    ])
    await ok(...credential, 'delete', ...by, '--cert', '--key-id', key.keyId)
    expect((await signIn(withKey)).code).toBe(4)
    await ok('ad', 'sp', 'delete', ...by)
    expect((await run('ad', 'sp', 'show', ...by)).code).toBe(3)
  })

  it('federated credentials are made, listed, refused twice, deleted by name', async () => {
    const { run, ok, one, list } = await administrator()
    const { appId } = await one('ad', 'sp', 'create', '-n', 'payments')
    const federated = ['ad', 'app', 'federated-credential']
    const create = [
      ...[...federated, 'create', '--id', appId, '-n', 'pods'],
      ...['--issuer', 'https://issuer.example', '--subject', 'system:serviceaccount:shop:pay'],
    ]
    expect(await one(...create)).toMatchObject({ name: 'pods', subject: create.at(-1) })
    expect((await run(...create)).code).toBe(8)
    const names = (await list(...federated, 'list', '--id', appId)).map(({ name }) => name)
    expect(names).toEqual(['pods'])
    const remove = [...federated, 'delete', '--id', appId, '--federated-credential-id', 'pods']
    await ok(...remove)
    expect((await run(...remove)).code).toBe(3)
  })

  it('create-for-rbac gives the role at every scope named, and says so when there is no such role', async () => {
    const { home, run, ok, one, list } = await administrator()
    await ok('group', 'create', '-n', 'rbac-a')
    await ok('group', 'create', '-n', 'rbac-b')
    const scope = (group: string) => `/subscriptions/${hub.subscriptionId}/resourceGroups/${group}`
    const scopes = ['--scopes', scope('rbac-a'), scope('rbac-b')]
    const create = ['ad', 'sp', 'create-for-rbac', '-n', 'ci', '--role']
    const made = await one(...create, 'reader', ...scopes)
    const assigned = await list('role', 'assignment', 'list', '--all', '--assignee', made.appId)
    expect(assigned).toHaveLength(2)
    expect(assigned[0]).toMatchObject({
      principalName: made.appId,
      roleDefinitionName: 'Reader',
    })
    const own = temporaryDirectory()
    const { clientId, secret } = { clientId: made.appId, secret: made.password }
    expect((await login({ ...hub, clientId }, { home: own, secret })).code).toBe(0)
    const seen = await cli(['group', 'list', '--query', '[].name', '-o', 'tsv'], { home: own })
    expect(seen.stdout.split('\n')).toEqual(expect.arrayContaining(['rbac-a', 'rbac-b']))
    const none = await run(...create, 'Superuser', ...scopes)
    expect(none.code).not.toBe(0)
    expect(none.stderr).toContain('Superuser')
    expect((await cli([...create, 'reader'], { home })).code).toBe(2)
  })
})

describe('--assignee', () => {
  it('takes object id, user principal name, client id and display name; two of one name are listed', async () => {
    const { run, ok, one, list, user } = await administrator()
    await ok('group', 'create', '-n', 'named')
    const scope = `/subscriptions/${hub.subscriptionId}/resourceGroups/named`
    const assign = (assignee: string): string[] => [
      ...['role', 'assignment', 'create', '--role', 'Reader'],
      ...['--scope', scope, '--assignee', assignee],
    ]
    const carol = await user('carol', 'Carol')
    const app = await one('ad', 'sp', 'create', '-n', 'billing')
    const group = await one('ad', 'group', 'create', '--display-name', "o'ps")
    expect((await one(...assign('Carol@Example.com'))).principalId).toBe(carol.id)
    expect((await one(...assign(app.appId))).principalId).toBe(app.id)
    expect((await one(...assign("o'ps"))).principalId).toBe(group.id)
    const remove = ['role', 'assignment', 'delete', '--scope', scope, '--assignee']
    for (const name of ['carol', app.id, group.id]) await ok(...remove, name)
    expect(await list('role', 'assignment', 'list', '--scope', scope)).toEqual([])

    const twin = await one('ad', 'sp', 'create', '-n', 'Carol')
    const ambiguous = await run(...assign('carol'))
    expect(ambiguous.code).toBe(2)
    for (const text of [carol.id, twin.id, 'carol@example.com', twin.appId, '--assignee'])
      expect(ambiguous.stderr).toContain(text)
    const nobody = await run(...assign('nobody'))
    expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringContaining('nobody')])
    const unknown = await run(...assign('99999999-9999-4999-8999-999999999999'))
    expect(unknown.code).not.toBe(0)
    expect(unknown.stderr).toContain('99999999-9999-4999-8999-999999999999')
  })
})
