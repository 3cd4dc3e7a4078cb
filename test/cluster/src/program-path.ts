/**
 * Where programs are looked for.
 * @module
 */

/** Search path of this process with the directories of system programs, which a user's PATH often lacks. */
export function programPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`
}
