/**
 * Every command by its words. Loaded one by one, so that a command pays for its own imports only.
 * @module
 */
import { ad } from './ad-catalogue.ts'
import type { CommandEntry, GroupEntry } from './find-command.ts'
import { role } from './role-catalogue.ts'

const connect: CommandEntry = {
  summary: 'connect a Kubernetes cluster to the hub',
  load: async () => (await import('./cluster-connect.ts')).clusterConnect,
}
const list: CommandEntry = {
  summary: 'list connected clusters',
  load: async () => (await import('./cluster-list.ts')).clusterList,
}
const show: CommandEntry = {
  summary: 'show one connected cluster',
  load: async () => (await import('./cluster-show.ts')).clusterShow,
}
const proxy: CommandEntry = {
  summary: 'reach a cluster with kubectl, from anywhere',
  load: async () => (await import('./cluster-proxy.ts')).clusterProxy,
}
const remove: CommandEntry = {
  summary: 'disconnect a cluster and delete its resource',
  load: async () => (await import('./cluster-delete.ts')).clusterDelete,
}
const update: CommandEntry = {
  summary: 'change the tags of a connected cluster',
  load: async () => (await import('./cluster-update.ts')).clusterUpdate,
}

const account: GroupEntry = {
  summary: 'who is signed in, and where',
  entries: {
    show: {
      summary: 'show hub, tenant, subscription and principal',
      load: async () => (await import('./account-show.ts')).accountShow,
    },
    list: {
      summary: 'list hubs and accounts signed in',
      load: async () => (await import('./account-list.ts')).accountList,
    },
    set: {
      summary: 'choose hub, account or subscription',
      load: async () => (await import('./account-set.ts')).accountSet,
    },
  },
}

const group: GroupEntry = {
  summary: 'resource groups',
  entries: {
    create: {
      summary: 'make a resource group',
      load: async () => (await import('./group-create.ts')).groupCreate,
    },
    list: {
      summary: 'list resource groups',
      load: async () => (await import('./group-list.ts')).groupList,
    },
    show: {
      summary: 'show a resource group',
      load: async () => (await import('./group-show.ts')).groupShow,
    },
    delete: {
      summary: 'delete a resource group with everything in it',
      load: async () => (await import('./group-delete.ts')).groupDelete,
    },
  },
}

const issuer: GroupEntry = {
  summary: 'outside issuers people sign in with',
  entries: {
    list: {
      summary: 'list outside issuers',
      load: async () => (await import('./issuer-list.ts')).issuerList,
    },
    show: {
      summary: 'show an outside issuer',
      load: async () => (await import('./issuer-show.ts')).issuerShow,
    },
    create: {
      summary: 'let people sign in with an outside issuer',
      load: async () => (await import('./issuer-create.ts')).issuerCreate,
    },
    update: {
      summary: 'change an outside issuer',
      load: async () => (await import('./issuer-update.ts')).issuerUpdate,
    },
    delete: {
      summary: 'delete an outside issuer and end the sign-ins made through it',
      load: async () => (await import('./issuer-delete.ts')).issuerDelete,
    },
    check: {
      summary: 'check an outside issuer from the hub, step by step',
      load: async () => (await import('./issuer-check.ts')).issuerCheck,
    },
  },
}

const agent: GroupEntry = {
  summary: 'agents that run on this machine; with flags: run one in the foreground',
  entries: {
    list: {
      summary: 'list agents started on this machine',
      load: async () => (await import('./agent-list.ts')).agentList,
    },
    stop: {
      summary: 'stop the agent of a cluster',
      load: async () => (await import('./agent-stop.ts')).agentStop,
    },
  },
}

const session: GroupEntry = {
  summary: 'sessions with clusters, seen from the hub',
  entries: {
    list: {
      summary: 'list sessions with clusters',
      load: async () => (await import('./session-list.ts')).sessionList,
    },
    show: {
      summary: 'show a session',
      load: async () => (await import('./session-show.ts')).sessionShow,
    },
    kill: {
      summary: 'end a session at once',
      load: async () => (await import('./session-kill.ts')).sessionKill,
    },
  },
}

/** Programs that `main.ts` runs itself; here for help, completion and near matches. */
export const programs: Readonly<Record<string, string>> = {
  hub: 'run the hub: API, sign-in and relay',
  relay: 'run a relay alone',
}

/** Root of the command tree. */
export const catalogue: GroupEntry = {
  summary: 'kubectl to any cluster, no inbound port',
  entries: {
    login: {
      summary: 'sign in at a hub',
      load: async () => (await import('./login.ts')).login,
    },
    logout: {
      summary: 'sign out and forget the credentials',
      load: async () => (await import('./logout.ts')).logout,
    },
    whoami: {
      summary: 'name the signed-in principal',
      load: async () => (await import('./whoami.ts')).whoami,
    },
    account,
    connect,
    list,
    show,
    proxy,
    delete: remove,
    connectedk8s: {
      summary: 'connected clusters, in the words of az',
      entries: {
        connect,
        list,
        show,
        update,
        proxy,
        delete: remove,
        'enable-features': {
          summary: 'switch features of a cluster on',
          load: async () => (await import('./cluster-features.ts')).enableFeatures,
        },
        'disable-features': {
          summary: 'switch features of a cluster off',
          load: async () => (await import('./cluster-features.ts')).disableFeatures,
        },
      },
    },
    group,
    ad,
    session,
    role,
    issuer,
    agent,
    version: {
      summary: 'versions of CLI and hub',
      load: async () => (await import('./version.ts')).versionCommand,
    },
    completion: {
      summary: 'print a completion script: bash, zsh, fish, powershell',
      load: async () => (await import('./completion.ts')).completion,
    },
    api: {
      summary: 'call the API of the hub',
      load: async () => (await import('./api.ts')).api,
    },
    help: {
      summary: 'help on a command, or on exit-codes or environment',
      load: async () => (await import('./help.ts')).createHelp({ catalogue, programs }),
    },
    __complete: {
      summary: 'answer a completion script',
      hidden: true,
      load: async () => (await import('./complete.ts')).createComplete({ catalogue, programs }),
    },
  },
}
