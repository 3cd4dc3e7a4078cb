/**
 * `sallyport ad user …` and `sallyport ad signed-in-user show`.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { SallyportError } from '@sallyport/protocol'
import { getUser, graphCall, graphList, idOf } from '../hub/graph.ts'
import { displayNameFilter, filtered, openGraph, userColumns, userIdOption } from './ad-view.ts'
import type { Command, CommandContext, OptionSpec } from './command.ts'
import { secretFromFlag } from './secret-input.ts'

const passwordOption: OptionSpec = {
  long: 'password',
  value: 'SECRET',
  summary: 'password; @FILE or - hide it from others',
}

async function givenPassword(context: CommandContext): Promise<string | undefined> {
  const value = context.flags.text('password')
  if (value === undefined) return undefined
  const { secret, wasVisible } = await secretFromFlag(value, context)
  if (wasVisible)
    context.warn('a password on the command line is visible to other users; use @FILE or -')
  return secret
}

const profileOf = (password: string) => ({ password, forceChangePasswordNextSignIn: false })

/** Makes a user. */
export const userCreate: Command = {
  summary: 'make a user',
  description: ['Without --password one is made and shown, once, as password.'],
  options: [
    { long: 'user-principal-name', value: 'NAME', summary: 'sign-in name: name@domain' },
    { long: 'display-name', value: 'NAME', summary: 'name that people see' },
    passwordOption,
  ],
  examples: [
    {
      what: 'a user with a password of its own',
      line: 'sallyport ad user create --user-principal-name alice@example.com --display-name Alice --password -',
    },
  ],
  run: async (context) => {
    const userPrincipalName = context.flags.required('user-principal-name')
    const displayName = context.flags.required('display-name')
    const given = await givenPassword(context)
    const password = given ?? randomBytes(18).toString('base64url')
    await using graph = openGraph(context)
    const user = await graphCall(graph, 'POST', {
      path: '/users',
      body: {
        accountEnabled: true,
        displayName,
        mailNickname: userPrincipalName.split('@')[0],
        userPrincipalName,
        passwordProfile: profileOf(password),
      },
    })
    if (given === undefined) context.warn('the password is shown once; hand it over safely')
    await context.print({ ...user, ...(given === undefined ? { password } : {}) }, userColumns)
    return 0
  },
}

/** Lists users. */
export const userList: Command = {
  summary: 'list users',
  options: [displayNameFilter],
  examples: [{ what: 'everybody', line: 'sallyport ad user list -o table' }],
  run: async (context) => {
    await using graph = openGraph(context)
    await context.print(await graphList(graph, filtered('/users', context)), userColumns)
    return 0
  },
}

/** Shows a user. */
export const userShow: Command = {
  summary: 'show a user',
  options: [userIdOption],
  examples: [
    {
      what: 'the object id, to give roles to',
      line: 'sallyport ad user show --id alice@example.com --query id -o tsv',
    },
  ],
  run: async (context) => {
    const id = context.flags.required('id')
    await using graph = openGraph(context)
    await context.print(await getUser(graph, id), userColumns)
    return 0
  },
}

/** Changes a user. */
export const userUpdate: Command = {
  summary: 'change name, password or state of a user',
  options: [
    userIdOption,
    { long: 'display-name', value: 'NAME', summary: 'name that people see' },
    passwordOption,
    {
      long: 'account-enabled',
      value: 'BOOLEAN',
      summary: 'false ends every session',
      complete: ['true', 'false'],
    },
  ],
  examples: [
    {
      what: 'lock somebody out, at once',
      line: 'sallyport ad user update --id alice@example.com --account-enabled false',
    },
  ],
  run: async (context) => {
    const id = context.flags.required('id')
    const displayName = context.flags.text('display-name')
    const enabled = context.flags.text('account-enabled')
    if (enabled !== undefined && enabled !== 'true' && enabled !== 'false')
      throw new SallyportError('ERR_USAGE', '--account-enabled must be true or false')
    const password = await givenPassword(context)
    const body = {
      ...(displayName === undefined ? {} : { displayName }),
      ...(enabled === undefined ? {} : { accountEnabled: enabled === 'true' }),
      ...(password === undefined ? {} : { passwordProfile: profileOf(password) }),
    }
    if (Object.keys(body).length === 0)
      throw new SallyportError('ERR_USAGE', 'nothing is to be changed')
    await using graph = openGraph(context)
    await graphCall(graph, 'PATCH', { path: `/users/${encodeURIComponent(id)}`, body })
    return 0
  },
}

/** Deletes a user. */
export const userDelete: Command = {
  summary: 'delete a user',
  options: [userIdOption],
  examples: [
    { what: 'with every session', line: 'sallyport ad user delete --id alice@example.com' },
  ],
  run: async (context) => {
    const id = context.flags.required('id')
    await using graph = openGraph(context)
    await graphCall(graph, 'DELETE', { path: `/users/${encodeURIComponent(id)}` })
    return 0
  },
}

/** Lists the groups of a user, those of groups included. */
export const userMemberGroups: Command = {
  summary: 'list the groups of a user, through groups too',
  options: [
    userIdOption,
    { long: 'security-enabled-only', summary: 'only security groups (here: all are)' },
  ],
  examples: [
    { what: 'object ids', line: 'sallyport ad user get-member-groups --id alice@example.com' },
  ],
  run: async (context) => {
    const id = context.flags.required('id')
    await using graph = openGraph(context)
    const path = `/users/${encodeURIComponent(id)}/getMemberGroups`
    const body = { securityEnabledOnly: context.flags.on('security-enabled-only') }
    await context.print(await graphList(graph, path, { method: 'POST', body }))
    return 0
  },
}

/** Shows who is signed in, as the directory knows them. */
export const signedInUserShow: Command = {
  summary: 'show the signed-in user',
  options: [],
  examples: [
    {
      what: 'the object id, to give roles to',
      line: 'sallyport ad signed-in-user show --query id -o tsv',
    },
  ],
  run: async (context) => {
    await using graph = openGraph(context)
    const user = await graphCall(graph, 'GET', { path: '/me' })
    context.detail(`object id ${idOf(user)}`)
    await context.print(user, userColumns)
    return 0
  },
}
