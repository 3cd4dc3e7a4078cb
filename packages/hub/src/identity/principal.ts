/**
 * Who calls: the one shape of an authenticated caller inside the hub.
 * @module
 */

/** An authenticated, enabled principal; names are for people, `objectId` is the identity. */
export interface Principal {
  /** GUID; the name of the principal in role assignments and in the cluster. */
  objectId: string
  kind: 'user' | 'app'
  tenantId: string
  displayName: string
  /** Client id of a service principal. */
  appId?: string
  /** May do everything on this hub: the owner's way in. */
  administrator: boolean
  /** Object ids of the groups the principal belongs to. */
  groups: string[]
  /** Sign-in of a person this call was made with. */
  signIn?: string
}
