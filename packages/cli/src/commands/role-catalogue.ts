/**
 * The `role` commands by their words.
 * @module
 */
import type { GroupEntry } from './find-command.ts'

const assignment: GroupEntry = {
  summary: 'who has which role where',
  entries: {
    create: {
      summary: 'give a principal a role at a scope',
      load: async () => (await import('./role-assignment-create.ts')).roleAssignmentCreate,
    },
    list: {
      summary: 'list who has which role where',
      load: async () => (await import('./role-assignment-list.ts')).roleAssignmentList,
    },
    delete: {
      summary: 'take roles away',
      load: async () => (await import('./role-assignment-delete.ts')).roleAssignmentDelete,
    },
    update: {
      summary: 'change description or expiry of an assignment',
      load: async () => (await import('./role-assignment-update.ts')).roleAssignmentUpdate,
    },
  },
}

const definition: GroupEntry = {
  summary: 'what roles allow',
  entries: {
    list: {
      summary: 'list roles, built-in and custom',
      load: async () => (await import('./role-definition-read.ts')).roleDefinitionList,
    },
    show: {
      summary: 'show a role',
      load: async () => (await import('./role-definition-read.ts')).roleDefinitionShow,
    },
    create: {
      summary: 'make a custom role',
      load: async () => (await import('./role-definition-write.ts')).roleDefinitionCreate,
    },
    update: {
      summary: 'replace a custom role',
      load: async () => (await import('./role-definition-write.ts')).roleDefinitionUpdate,
    },
    delete: {
      summary: 'delete a custom role that is not assigned',
      load: async () => (await import('./role-definition-read.ts')).roleDefinitionDelete,
    },
  },
}

/** `sallyport role`. */
export const role: GroupEntry = {
  summary: 'roles, and who has them',
  entries: { assignment, definition },
}
