import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeMissing, missingPrerequisites } from '../src/prerequisites.ts'

let empty: string
beforeEach(async () => {
  empty = await mkdtemp(join(tmpdir(), 'path-'))
})
afterEach(async () => {
  await rm(empty, { recursive: true })
})

const have = (...names: string[]): Promise<unknown> =>
  Promise.all(names.map((name) => writeFile(join(empty, name), '', { mode: 0o755 })))

describe('missing prerequisites', () => {
  test('of a node on a bare machine are named all at once with one command', async () => {
    const request = { size: 'node', build: true, path: empty, cniPath: empty, root: false } as const
    const text = describeMissing(await missingPrerequisites(request))
    expect(text)
      .toBe(`missing on this machine: setpriv, flock, nsenter, ip, unshare, mount, containerd, containerd-shim-runc-v2, ctr, runc, iptables, conntrack, busybox, tar, CNI plugins ptp, host-local, loopback, go, root
get them with
  apt-get install -y util-linux iproute2 mount containerd runc iptables conntrack busybox-static tar containernetworking-plugins
  sh test/cluster/install-prerequisites.sh   (or set KUBEBUILDER_ASSETS to ready binaries)
  run the same command with sudo`)
  })

  test('of a control plane are few, and none when binaries are ready', async () => {
    await have('setpriv', 'flock')
    const request = { size: 'control-plane', path: empty, root: false } as const
    expect(await missingPrerequisites(request)).toEqual([])
    expect(await missingPrerequisites({ ...request, build: true })).toMatchObject([{ name: 'go' }])
  })

  test('a file that may not be run does not count', async () => {
    await have('setpriv', 'flock')
    await writeFile(join(empty, 'go'), '', { mode: 0o644 })
    const missing = await missingPrerequisites({ build: true, path: empty, root: false })
    expect(missing.map(({ name }) => name)).toEqual(['go'])
  })

  test('a Go that cannot fetch a newer one is named with its version', async () => {
    await have('setpriv', 'flock')
    const write = (version: string): Promise<void> =>
      writeFile(join(empty, 'go'), `#!/bin/sh\necho go version go${version} linux/amd64\n`, {
        mode: 0o755,
      })
    await write('1.19.8')
    const request = { build: true, path: empty, root: false }
    expect(await missingPrerequisites(request)).toMatchObject([{ name: 'go (1.19 is too old)' }])
    await write('1.26.8')
    expect(await missingPrerequisites(request)).toEqual([])
  })

  test('CNI plugins have to be in one directory', async () => {
    await have('ptp', 'loopback')
    const request = { size: 'node', path: empty, root: true } as const
    const names = async (): Promise<string[]> =>
      (await missingPrerequisites({ ...request, cniPath: empty })).map(({ name }) => name)
    expect(await names()).toContain('CNI plugins ptp, host-local, loopback')
    await have('host-local')
    expect(await names()).not.toContain('CNI plugins ptp, host-local, loopback')
  })
})
