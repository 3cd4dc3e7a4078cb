/**
 * The version all packages share, and how far two ends may be apart.
 * @module
 */

/** Version of hub, relay, agent and CLI; one for the whole workspace. */
export const version = '0.1.0'
