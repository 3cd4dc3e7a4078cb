/**
 * Groups and clusters against a real hub.
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli } from '../run-cli.ts'
import { signedIn as signedInAt, startRealHub, type RealHub } from './real-hub.ts'

let hub: RealHub

beforeAll(async () => {
  hub = await startRealHub()
})
afterAll(() => hub.stop())

const signedIn = () => signedInAt(hub)

describe('groups and clusters', () => {
  const publicKey = () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .publicKey.export({ type: 'spki', format: 'der' })
      .toString('base64')

  async function makeCluster(home: string, group: string, name: string): Promise<void> {
    await cli(['group', 'create', '-n', group], { home })
    const body = JSON.stringify({
      location: 'local',
      identity: { type: 'SystemAssigned' },
      properties: { agentPublicKeyCertificate: publicKey() },
    })
    const path = `/subscriptions/{subscription}/resourceGroups/${group}/providers/Microsoft.Kubernetes/connectedClusters/${name}`
    const { code, stderr } = await cli(['api', 'PUT', path, '-b', body], { home })
    expect(code, stderr).toBe(0)
  }

  it('group: made, listed, shown, deleted after its name or --yes', async () => {
    const home = await signedIn()
    expect((await cli(['group', 'create', 'g1', '--tags', 'a=b', 'c=d=e'], { home })).code).toBe(0)
    const shown = await cli(['group', 'show', '-n', 'G1', '--query', 'tags', '-o', 'json'], {
      home,
    })
    expect(JSON.parse(shown.stdout)).toEqual({ a: 'b', c: 'd=e' })
    expect((await cli(['group', 'list', '-o', 'table'], { home })).stdout).toMatch(
      /^NAME +LOCATION +STATE\n[^]*g1 +local +Succeeded\n/,
    )
    const unasked = await cli(['group', 'delete', 'g1'], { home })
    expect(unasked.code).toBe(2)
    expect(unasked.stderr).toContain('--yes')
    expect((await cli(['group', 'delete', 'g1', '-y'], { home })).code).toBe(0)
    expect((await cli(['group', 'show', 'g1'], { home })).code).toBe(3)
    expect((await cli(['group', 'create', 'no/name'], { home })).code).toBe(2)
  })

  it('list and show: flattened, by unique name without group, ambiguous names refused', async () => {
    const home = await signedIn()
    await makeCluster(home, 'g-a', 'shop')
    await makeCluster(home, 'g-b', 'shop')
    await makeCluster(home, 'g-b', 'only')
    const list = JSON.parse((await cli(['list', '-g', 'g-b'], { home })).stdout) as {
      name: string
      resourceGroup: string
      connectivityStatus: string
    }[]
    expect(list.map(({ name }) => name).sort()).toEqual(['only', 'shop'])
    expect(list[0]).toMatchObject({ resourceGroup: 'g-b', connectivityStatus: 'Connecting' })
    const id = await cli(['connectedk8s', 'show', '-n', 'ONLY', '--query', 'id', '-o', 'tsv'], {
      home,
    })
    expect(id.stdout).toMatch(/\/resourceGroups\/g-b\/providers\/[^\n]*\/only\n$/)
    const ambiguous = await cli(['show', 'shop'], { home })
    expect(ambiguous.code).toBe(2)
    expect(ambiguous.stderr).toContain('g-a, g-b')
    expect((await cli(['show', 'nobody'], { home })).code).toBe(3)
    expect((await cli(['show', 'nobody', '-g', 'g-a'], { home })).code).toBe(3)
    expect((await cli(['show', '../x', '-g', 'g-a'], { home })).code).toBe(2)
    expect((await cli(['list', '-o', 'table'], { home })).stdout).toMatch(/^NAME +GROUP +STATUS/)
  })

  it('update replaces tags; delete removes cluster and known key', async () => {
    const home = await signedIn()
    await makeCluster(home, 'g-c', 'tagged')
    const known = join(home, '.config', 'sallyport', 'known_clusters')
    const id = (await cli(['show', 'tagged', '--query', 'id', '-o', 'tsv'], { home })).stdout.trim()
    writeFileSync(known, `${hub.url} ${id.toLowerCase()} SHA256:${'a'.repeat(43)}\n`)
    const updated = await cli(['connectedk8s', 'update', '-n', 'tagged', '--tags', 'x=y'], { home })
    expect(JSON.parse(updated.stdout)).toMatchObject({ tags: { x: 'y' } })
    expect((await cli(['connectedk8s', 'update', '-n', 'tagged'], { home })).code).toBe(2)
    expect((await cli(['delete', 'tagged', '-y'], { home })).code).toBe(0)
    expect(readFileSync(known, 'utf8')).toBe('')
    expect((await cli(['delete', 'tagged', '-g', 'g-c', '-y'], { home })).code).toBe(3)
  })

  it('completion knows names', async () => {
    const home = await signedIn()
    await makeCluster(home, 'g-d', 'complete-me')
    expect((await cli(['__complete', 'proxy', 'compl'], { home })).stdout).toBe('complete-me\n:0\n')
    expect((await cli(['__complete', 'list', '-g', 'g-d'], { home })).stdout).toBe('g-d\n:0\n')
  })

  it('version names the hub', async () => {
    const home = await signedIn()
    const { stdout } = await cli(['version', '-o', 'json'], { home })
    expect(JSON.parse(stdout)).toMatchObject({ hub: { url: hub.url, version: '0.1.0' } })
  })

  it('proxy to a cluster whose agent never came: exit 6, nothing written', async () => {
    const home = await signedIn()
    await makeCluster(home, 'g-e', 'never')
    const file = join(home, 'kubeconfig')
    const unknown = await cli(['proxy', 'nobody', '--port', '0', '-f', file], { home })
    expect(unknown.code).toBe(3)
    const never = await cli(['proxy', 'never', '--port', '0', '-f', file], { home })
    expect(never.code).toBe(6)
    expect(never.stderr).toContain("cluster 'never' is offline")
    expect(existsSync(file)).toBe(false)
  })
})
