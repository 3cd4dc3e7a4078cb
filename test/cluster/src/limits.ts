/**
 * Every deadline and bound of this workspace, by name.
 * @module
 */

/** Longest wait for the API server to be ready, in ms; a busy two-core machine needs some 10 s. */
export const apiServerReadyMs = 90_000
/** Longest wait for bootstrap roles, namespaces and service accounts after that, in ms. */
export const bootstrapReadyMs = 60_000
/** Longest wait for containerd to answer, in ms. */
export const containerdReadyMs = 60_000
/** Longest wait for the node to be Ready, in ms. */
export const nodeReadyMs = 120_000
/** Pause between two looks at a condition, in ms. */
export const pollMs = 100
/** Longest run of one small command (ip, ctr, kubectl get), in ms. */
export const commandMs = 30_000
/** Longest build of the binaries, in ms: 20 minutes on a slow machine with a slow network, twice over. */
export const buildMs = 2_400_000
/** Longest download of an archive or a package, in ms. */
export const downloadMs = 600_000
/** Longest wait for processes to be gone after SIGKILL, in ms. */
export const killMs = 10_000
/** Output kept of a command, in characters. */
export const outputCharacters = 4_194_304
/** Lines of a log quoted in an error. */
export const quotedLines = 15
/** Logs of failed starts that are kept. */
export const keptFailureLogs = 10
/** Longest path of a node's directory: unix sockets below it have 108 bytes in all (unix(7)). */
export const nodeDirectoryCharacters = 64
