/**
 * The commands of the directory by their words, as `az ad` has them.
 * @module
 */
import type { GroupEntry } from './find-command.ts'

const user: GroupEntry = {
  summary: 'users',
  entries: {
    create: {
      summary: 'make a user',
      load: async () => (await import('./ad-user.ts')).userCreate,
    },
    list: {
      summary: 'list users',
      load: async () => (await import('./ad-user.ts')).userList,
    },
    show: {
      summary: 'show a user',
      load: async () => (await import('./ad-user.ts')).userShow,
    },
    update: {
      summary: 'change name, password or state of a user',
      load: async () => (await import('./ad-user.ts')).userUpdate,
    },
    delete: {
      summary: 'delete a user',
      load: async () => (await import('./ad-user.ts')).userDelete,
    },
    'get-member-groups': {
      summary: 'list the groups of a user, through groups too',
      load: async () => (await import('./ad-user.ts')).userMemberGroups,
    },
  },
}

const member: GroupEntry = {
  summary: 'members of a group',
  entries: {
    add: {
      summary: 'add a user, group or service principal',
      load: async () => (await import('./ad-group.ts')).memberAdd,
    },
    remove: {
      summary: 'remove a member; its sessions get new rights at once',
      load: async () => (await import('./ad-group.ts')).memberRemove,
    },
    list: {
      summary: 'list direct members',
      load: async () => (await import('./ad-group.ts')).memberList,
    },
    check: {
      summary: 'tell whether somebody is a member, through groups too',
      load: async () => (await import('./ad-group.ts')).memberCheck,
    },
  },
}

const group: GroupEntry = {
  summary: 'groups of people and applications',
  entries: {
    create: {
      summary: 'make a group',
      load: async () => (await import('./ad-group.ts')).directoryGroupCreate,
    },
    list: {
      summary: 'list groups',
      load: async () => (await import('./ad-group.ts')).directoryGroupList,
    },
    show: {
      summary: 'show a group',
      load: async () => (await import('./ad-group.ts')).directoryGroupShow,
    },
    delete: {
      summary: 'delete a group; its members stay',
      load: async () => (await import('./ad-group.ts')).directoryGroupDelete,
    },
    member,
  },
}

const credential: GroupEntry = {
  summary: 'secrets and certificates of a service principal',
  entries: {
    reset: {
      summary: 'make a new secret, or register a certificate',
      load: async () => (await import('./ad-credential.ts')).credentialReset,
    },
    list: {
      summary: 'list secrets and certificates, by their ids',
      load: async () => (await import('./ad-credential.ts')).credentialList,
    },
    delete: {
      summary: 'delete a secret or certificate; sessions by it end',
      load: async () => (await import('./ad-credential.ts')).credentialDelete,
    },
  },
}

const federatedCredential: GroupEntry = {
  summary: 'workloads of other issuers',
  entries: {
    create: {
      summary: 'let a workload of another issuer sign in',
      load: async () => (await import('./ad-credential.ts')).federatedCreate,
    },
    list: {
      summary: 'list the workloads that may sign in',
      load: async () => (await import('./ad-credential.ts')).federatedList,
    },
    delete: {
      summary: 'no longer let a workload sign in',
      load: async () => (await import('./ad-credential.ts')).federatedDelete,
    },
  },
}

const sp: GroupEntry = {
  summary: 'service principals',
  entries: {
    'create-for-rbac': {
      summary: 'make a service principal with a secret, and give it a role',
      load: async () => (await import('./ad-sp.ts')).spCreateForRbac,
    },
    create: {
      summary: 'make a service principal without a secret',
      load: async () => (await import('./ad-sp.ts')).spCreate,
    },
    list: {
      summary: 'list service principals',
      load: async () => (await import('./ad-sp.ts')).spList,
    },
    show: {
      summary: 'show a service principal',
      load: async () => (await import('./ad-sp.ts')).spShow,
    },
    delete: {
      summary: 'delete a service principal with its secrets',
      load: async () => (await import('./ad-sp.ts')).spDelete,
    },
    credential,
    'federated-credential': federatedCredential,
  },
}

/** `sallyport ad`. */
export const ad: GroupEntry = {
  summary: 'the directory: users, groups, service principals',
  entries: {
    'signed-in-user': {
      summary: 'the signed-in user',
      entries: {
        show: {
          summary: 'show the signed-in user',
          load: async () => (await import('./ad-user.ts')).signedInUserShow,
        },
      },
    },
    user,
    group,
    sp,
    app: {
      summary: 'applications: the same objects as service principals',
      hidden: true,
      entries: { 'federated-credential': federatedCredential, credential },
    },
  },
}
