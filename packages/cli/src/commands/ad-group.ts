/**
 * `sallyport ad group …` and `sallyport ad group member …`.
 * @module
 */
import { getGroup, graphCall, graphList, idOf } from '../hub/graph.ts'
import {
  displayNameFilter,
  filtered,
  groupOption,
  memberOption,
  objectColumns,
  openGraph,
} from './ad-view.ts'
import type { Command, CommandContext } from './command.ts'

/** Makes a group. */
export const directoryGroupCreate: Command = {
  summary: 'make a group',
  options: [
    { long: 'display-name', value: 'NAME', summary: 'name of the group' },
    { long: 'mail-nickname', value: 'NAME', summary: 'as az demands it; without meaning here' },
  ],
  examples: [{ what: 'a group', line: 'sallyport ad group create --display-name operators' }],
  run: async (context) => {
    const displayName = context.flags.required('display-name')
    const nickname = displayName.replaceAll(/[^A-Za-z0-9._-]/g, '') || 'group'
    await using graph = openGraph(context)
    const group = await graphCall(graph, 'POST', {
      path: '/groups',
      body: {
        displayName,
        mailEnabled: false,
        mailNickname: context.flags.text('mail-nickname') ?? nickname,
        securityEnabled: true,
      },
    })
    await context.print(group, objectColumns)
    return 0
  },
}

/** Lists groups. */
export const directoryGroupList: Command = {
  summary: 'list groups',
  options: [displayNameFilter],
  examples: [{ what: 'all', line: 'sallyport ad group list -o table' }],
  run: async (context) => {
    await using graph = openGraph(context)
    await context.print(await graphList(graph, filtered('/groups', context)), objectColumns)
    return 0
  },
}

/** Shows a group. */
export const directoryGroupShow: Command = {
  summary: 'show a group',
  options: [groupOption],
  examples: [
    { what: 'its object id', line: 'sallyport ad group show -g operators --query id -o tsv' },
  ],
  run: async (context) => {
    const named = context.flags.required('group', '-g GROUP')
    await using graph = openGraph(context)
    await context.print(await getGroup(graph, named), objectColumns)
    return 0
  },
}

/** Deletes a group. */
export const directoryGroupDelete: Command = {
  summary: 'delete a group; its members stay',
  options: [groupOption],
  examples: [{ what: 'a group', line: 'sallyport ad group delete -g operators' }],
  run: async (context) => {
    const named = context.flags.required('group', '-g GROUP')
    await using graph = openGraph(context)
    await graphCall(graph, 'DELETE', { path: `/groups/${idOf(await getGroup(graph, named))}` })
    return 0
  },
}

const memberOf = ({ flags }: CommandContext) => ({
  named: flags.required('group', '-g GROUP'),
  member: flags.required('member-id'),
})

/** Adds a member. */
export const memberAdd: Command = {
  summary: 'add a user, group or service principal',
  options: [groupOption, memberOption],
  examples: [
    { what: 'somebody', line: 'sallyport ad group member add -g operators --member-id OBJECT_ID' },
  ],
  run: async (context) => {
    const { named, member } = memberOf(context)
    await using graph = openGraph(context)
    const group = idOf(await getGroup(graph, named))
    await graphCall(graph, 'POST', {
      path: `/groups/${group}/members/$ref`,
      body: {
        '@odata.id': `${graph.client.origin}/v1.0/directoryObjects/${encodeURIComponent(member)}`,
      },
    })
    return 0
  },
}

/** Removes a member. */
export const memberRemove: Command = {
  summary: 'remove a member; its sessions get new rights at once',
  options: [groupOption, memberOption],
  examples: [
    {
      what: 'somebody',
      line: 'sallyport ad group member remove -g operators --member-id OBJECT_ID',
    },
  ],
  run: async (context) => {
    const { named, member } = memberOf(context)
    await using graph = openGraph(context)
    const group = idOf(await getGroup(graph, named))
    const path = `/groups/${group}/members/${encodeURIComponent(member)}/$ref`
    await graphCall(graph, 'DELETE', { path })
    return 0
  },
}

/** Lists direct members. */
export const memberList: Command = {
  summary: 'list direct members',
  options: [groupOption],
  examples: [{ what: 'of a group', line: 'sallyport ad group member list -g operators -o table' }],
  run: async (context) => {
    const named = context.flags.required('group', '-g GROUP')
    await using graph = openGraph(context)
    const group = idOf(await getGroup(graph, named))
    await context.print(await graphList(graph, `/groups/${group}/members`), objectColumns)
    return 0
  },
}

/** Tells whether somebody is a member, through groups too. */
export const memberCheck: Command = {
  summary: 'tell whether somebody is a member, through groups too',
  options: [groupOption, memberOption],
  examples: [
    {
      what: 'true or false',
      line: 'sallyport ad group member check -g operators --member-id OBJECT_ID --query value -o tsv',
    },
  ],
  run: async (context) => {
    const { named, member } = memberOf(context)
    await using graph = openGraph(context)
    const group = idOf(await getGroup(graph, named))
    const path = `/directoryObjects/${encodeURIComponent(member)}/checkMemberGroups`
    const found = await graphList(graph, path, { method: 'POST', body: { groupIds: [group] } })
    await context.print({ value: found.includes(group) })
    return 0
  },
}
