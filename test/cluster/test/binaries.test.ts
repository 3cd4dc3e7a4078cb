import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { configuredArchive } from '../src/binaries-archive.ts'
import { findBinaries, neededBinaries, provideBinaries } from '../src/binaries.ts'
import type { ClusterProgress } from '../src/index.ts'

let directory: string
const usualPath = process.env['PATH'] ?? ''
const size = 'control-plane' as const

/** Programs that only tell a version: what a search looks at. */
async function writePrograms(place: string, version = '1.34.4', names = neededBinaries({ size })) {
  await mkdir(place, { recursive: true })
  for (const name of names) {
    const answers: Record<string, string> = {
      etcd: 'etcd Version: 3.6.4',
      kubectl: `Client Version: v${version}`,
    }
    const script = `#!/bin/sh\necho '${answers[name] ?? `Kubernetes v${version}`}'\n`
    await writeFile(join(place, name), script, { mode: 0o755 })
  }
  return place
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'binaries-'))
  vi.stubEnv('XDG_CACHE_HOME', join(directory, 'cache'))
  vi.stubEnv('KUBEBUILDER_ASSETS', '')
  vi.stubEnv('SALLYPORT_CLUSTER_ARCHIVE', '')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(directory, { recursive: true })
})

describe('the search for binaries', () => {
  test('prefers KUBEBUILDER_ASSETS, then the PATH, and finds nothing in an empty cache', async () => {
    expect(await findBinaries({ size })).toBeUndefined()
    const onPath = await writePrograms(join(directory, 'path'), '1.33.1')
    vi.stubEnv('PATH', `${onPath}:${usualPath}`)
    expect(await findBinaries({ size })).toMatchObject({ origin: 'PATH', version: '1.33.1' })
    vi.stubEnv('KUBEBUILDER_ASSETS', await writePrograms(join(directory, 'assets')))
    const found = await findBinaries({ size })
    expect(found).toMatchObject({ origin: 'KUBEBUILDER_ASSETS', version: '1.34.4' })
    expect(found?.path('kubectl')).toBe(join(directory, 'assets', 'kubectl'))
  })

  test.each([
    { what: 'a wrapper that says something else', break: 'echo choose a component' },
    { what: 'a program that fails', break: 'exit 1' },
    { what: 'another minor version', break: 'echo Client Version: v1.20.2' },
  ])('passes over a directory with $what, and says so', async ({ break: line }) => {
    const assets = await writePrograms(join(directory, 'assets'))
    await writeFile(join(assets, 'kubectl'), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
    vi.stubEnv('KUBEBUILDER_ASSETS', assets)
    const notes: ClusterProgress[] = []
    const request = { size, onProgress: (event: ClusterProgress) => notes.push(event) }
    expect(await findBinaries(request)).toBeUndefined()
    expect(notes[0]?.detail).toContain(`${assets} is not usable: `)
  })

  test('passes over versions too old for the flags', async () => {
    vi.stubEnv('KUBEBUILDER_ASSETS', await writePrograms(join(directory, 'assets'), '1.30.9'))
    expect(await findBinaries({ size })).toBeUndefined()
  })

  test('that is cancelled ends, and does not take it for an unusable directory', async () => {
    const assets = await writePrograms(join(directory, 'assets'))
    await writeFile(join(assets, 'etcd'), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 })
    vi.stubEnv('KUBEBUILDER_ASSETS', assets)
    const attempt = findBinaries({ size, signal: AbortSignal.timeout(100) })
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_CLUSTER_ABORTED' })
  })

  test('a set without the programs of a node is not one for a node', async () => {
    vi.stubEnv('KUBEBUILDER_ASSETS', await writePrograms(join(directory, 'assets')))
    expect(await findBinaries({ size: 'node' })).toBeUndefined()
    expect(await findBinaries({ size, controllerManager: true })).toBeUndefined()
  })
})

describe('an archive', () => {
  let server: Server
  let url: string
  let content: Buffer

  beforeEach(async () => {
    await writePrograms(join(directory, 'a', 'controller-tools', 'envtest'))
    const archive = join(directory, 'a.tar.gz')
    execFileSync('tar', ['-czf', archive, '-C', join(directory, 'a'), '.'])
    content = await readFile(archive)
    server = createServer((_request, response) => response.end(content))
    url = await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        const port = typeof address === 'object' ? address?.port : undefined
        resolve(`http://127.0.0.1:${port ?? 0}/envtest.tar.gz`)
      })
    })
  })
  afterEach(() => server.close())

  test('with the pinned checksum is unpacked once and then found in the cache', async () => {
    const sha256 = createHash('sha256').update(content).digest('hex')
    vi.stubEnv('SALLYPORT_CLUSTER_ARCHIVE', `${url}#sha256=${sha256}`)
    expect(await provideBinaries({ size })).toMatchObject({ origin: 'archive', version: '1.34.4' })
    server.close()
    expect(await provideBinaries({ size })).toMatchObject({ origin: 'cache', version: '1.34.4' })
  })

  test('with another content is refused before it is unpacked', async () => {
    vi.stubEnv('SALLYPORT_CLUSTER_ARCHIVE', `${url}#sha256=${'0'.repeat(64)}`)
    const attempt = provideBinaries({ size })
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_CLUSTER_BINARIES' })
    await expect(attempt).rejects.toThrow('not the pinned')
    const left = await readdir(join(directory, 'cache', 'sallyport', 'cluster', 'archives'))
    expect(left.filter((name) => !name.endsWith('.lock'))).toEqual([])
  })

  test.each(['https://example.test/a.tgz', 'a.tgz#sha256=' + '0'.repeat(64), 'x#sha256=12'])(
    'named as %s is refused',
    (value) => {
      expect(() => configuredArchive(value)).toThrow('must read <url>#sha256=')
    },
  )
})

describe('a build', () => {
  /** A `go` that is quick and counts its builds. */
  async function fakeGo(build: string): Promise<void> {
    const bin = join(directory, 'bin')
    const programs = await writePrograms(join(directory, 'programs'), '1.34.4', ['kube-apiserver'])
    await mkdir(bin)
    const script = `#!/bin/sh
if [ "$1" = version ]; then echo 'go version go1.26.8 linux/amd64'; exit 0; fi
if [ "$1" = list ]; then echo 'go: downloading example v1' >&2; echo a; echo b; exit 0; fi
echo built >> ${join(directory, 'count')}
while [ "$1" != -o ]; do shift; done
echo a >&2; echo b >&2
${build.replaceAll('PROGRAMS', programs)}
`
    await writeFile(join(bin, 'go'), script, { mode: 0o755 })
    vi.stubEnv('PATH', `${bin}:${usualPath}`)
  }
  const answering = `cat > "$2" <<'END'
#!/bin/sh
case "$0" in *etcd) echo 'etcd Version: 3.6.4';; *kubectl) echo 'Client Version: v1.34.4';; *) echo 'Kubernetes v1.34.4';; esac
END
sleep 0.3; chmod 755 "$2"`

  test('wanted twice at once is done once, with progress; later it is found in the cache', async () => {
    await fakeGo(answering)
    const events: ClusterProgress[] = []
    const request = { size, onProgress: (event: ClusterProgress) => events.push(event) }
    const both = await Promise.all([provideBinaries(request), provideBinaries({ size })])
    expect(both.map(({ origin }) => origin)).toEqual(['built', 'built'])
    expect(await readFile(join(directory, 'count'), 'utf8')).toBe('built\n')
    expect(await provideBinaries({ size: 'node' })).toMatchObject({ origin: 'cache' })
    expect(events.map(({ step }) => step)).toContain('binaries')
  })

  test('reports packages compiled out of all and the time it expects', async () => {
    await fakeGo(answering)
    const events: ClusterProgress[] = []
    await provideBinaries({ size, onProgress: (event) => events.push(event) })
    expect(events).toContainEqual({
      step: 'binaries: compile',
      state: 'note',
      detail: '1 of 2 packages',
      fraction: 0.5,
    })
    const begin = events.find(
      ({ step, state }) => step === 'binaries: compile' && state === 'start',
    )
    expect(begin?.expectedSeconds).toBeGreaterThan(0)
  })

  test('that fails quotes the compiler and leaves no directory behind', async () => {
    await fakeGo(`echo 'main.go:1: no' >&2; exit 1`)
    const attempt = provideBinaries({ size })
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_CLUSTER_COMMAND' })
    await expect(attempt).rejects.toThrow('main.go:1: no')
    const left = await readdir(join(directory, 'cache', 'sallyport', 'cluster'))
    expect(left.filter((name) => !name.endsWith('.lock'))).toEqual([])
  })

  test('without go is refused with what to do', async () => {
    const bin = join(directory, 'bin')
    await mkdir(bin)
    for (const name of ['setpriv', 'flock']) await writeFile(join(bin, name), '', { mode: 0o755 })
    vi.stubEnv('PATH', bin)
    const attempt = provideBinaries({ size })
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_CLUSTER_PREREQUISITE' })
    await expect(attempt).rejects.toThrow('install-prerequisites.sh')
  })
})
