/**
 * Two container images from this machine's static busybox, as a docker archive: no registry is asked.
 * @module
 */
import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClusterError } from '../error.ts'
import { programPath } from '../program-path.ts'
import { runCommand } from '../run-command.ts'

/** Image for pods; `imagePullPolicy: Never`. */
export const busyboxImage = 'sallyport.test/busybox:1'
/** Image of the pods' sandboxes: it only has to stay. */
export const pauseImage = 'sallyport.test/pause:1'

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' }

async function buildRoot(root: string): Promise<void> {
  for (const name of ['bin', 'etc', 'root', 'tmp', 'usr/bin', 'var'])
    await mkdir(join(root, name), { recursive: true })
  await chmod(join(root, 'tmp'), 0o1777)
  const which = await runCommand(['sh', '-c', 'command -v busybox'], {
    env: { PATH: programPath() },
  })
  await copyFile(which.trim(), join(root, 'bin', 'busybox'))
  await chmod(join(root, 'bin', 'busybox'), 0o755)
  await writeFile(
    join(root, 'etc', 'passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
  )
  await writeFile(join(root, 'etc', 'group'), 'root:x:0:\nnobody:x:65534:\n')
  try {
    await runCommand(['chroot', root, '/bin/busybox', 'true'])
  } catch (error) {
    const text = `${which.trim()} does not run on its own, so it is not static\nget one that is with\n  apt-get install -y busybox-static`
    throw new ClusterError('ERR_CLUSTER_PREREQUISITE', text, error)
  }
  const applets = (await runCommand([which.trim(), '--list'])).trim().split('\n')
  for (const applet of applets)
    if (applet !== 'busybox') await symlink('busybox', join(root, 'bin', applet))
}

interface ImageEntry {
  Config: string
  RepoTags: string[]
  Layers: string[]
}

async function writeImage(
  directory: string,
  layerDigest: string,
  image: { name: string; command: string[] },
): Promise<ImageEntry> {
  const config = JSON.stringify({
    architecture: architectures[process.arch] ?? process.arch,
    os: 'linux',
    config: { Env: ['PATH=/bin:/usr/bin'], Cmd: image.command, WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
    history: [{ created_by: 'sallyport test cluster' }],
  })
  const file = `${createHash('sha256').update(config).digest('hex')}.json`
  await writeFile(join(directory, file), config)
  return { Config: file, RepoTags: [image.name], Layers: ['layer.tar'] }
}

/** Writes the archive with both images (layout: Docker image specification v1.2, `docker save`) and resolves to its path. */
export async function buildImages(directory: string): Promise<string> {
  const root = join(directory, 'root')
  const content = join(directory, 'content')
  await mkdir(root, { recursive: true })
  await mkdir(content, { recursive: true })
  await buildRoot(root)
  const layer = join(content, 'layer.tar')
  await runCommand([
    'tar',
    '-cf',
    layer,
    '--numeric-owner',
    '--owner=0',
    '--group=0',
    '-C',
    root,
    '.',
  ])
  const digest = createHash('sha256')
    .update(await readFile(layer))
    .digest('hex')
  const images = [
    { name: busyboxImage, command: ['sh'] },
    { name: pauseImage, command: ['/bin/tail', '-f', '/dev/null'] },
  ]
  const manifest = []
  for (const image of images) manifest.push(await writeImage(content, digest, image))
  await writeFile(join(content, 'manifest.json'), JSON.stringify(manifest))
  const archive = join(directory, 'images.tar')
  await runCommand(['tar', '-cf', archive, '-C', content, '.'])
  return archive
}
