import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { provideBinaries, startCluster } from '../src/index.ts'
import { watchTemporary } from './leftovers.ts'

test('a program that fails when it runs is quoted, and nothing is left', async () => {
  const working = await provideBinaries({ size: 'control-plane' })
  const assets = await mkdtemp(join(tmpdir(), 'assets-'))
  const temporary = await watchTemporary()
  try {
    for (const name of ['kube-apiserver', 'kubectl'])
      await symlink(working.path(name), join(assets, name))
    const script = `#!/bin/sh
if [ "$1" = --version ]; then echo 'etcd Version: 3.6.4'; exit 0; fi
echo 'the disk is on fire' >&2; exit 3
`
    await writeFile(join(assets, 'etcd'), script, { mode: 0o755 })
    vi.stubEnv('KUBEBUILDER_ASSETS', assets)
    const attempt = startCluster({ size: 'control-plane' })
    await expect(attempt).rejects.toThrow(/etcd ended with exit code 3\n +the disk is on fire\n/)
    expect(temporary.leftovers()).toEqual([])
  } finally {
    await temporary.remove()
    await rm(assets, { recursive: true })
  }
})
