/**
 * Programs of the distribution that scenarios use as a user would; named all at once when they are missing.
 * @module
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Program to Debian package. */
const programs: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  ss: 'iproute2',
  nsenter: 'util-linux',
  iptables: 'iptables',
  curl: 'curl',
  tmux: 'tmux',
  chattr: 'e2fsprogs',
  chromium: 'chromium',
  mount: 'mount',
}

/** What is missing, as an error to print with the command that mends it; undefined when nothing is. */
export function missingPrerequisites(): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'error: the scenarios make network namespaces and run a kubelet: they need root\n try:  sudo npm test'
  }
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  const missing = Object.keys(programs).filter(
    (program) => !directories.some((directory) => existsSync(join(directory, program))),
  )
  if (missing.length === 0) return undefined
  const packages = [...new Set(missing.map((program) => programs[program]))].join(' ')
  return `error: these programs are missing: ${missing.join(', ')}\n try:  apt-get install -y ${packages}`
}
