/**
 * The CLI is killed without a chance to clean up.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { sallyportStart } from '../../src/actors.ts'
import { lab } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

verifies('fault.kill-cli', async () => {
  const { developer, clusterName, resourceGroup } = lab()
  const file = join(developer.home, 'killed.kubeconfig')
  const before =
    '# kept\napiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\ncurrent-context: ""\n'
  writeFileSync(file, before, { mode: 0o600 })
  const args = ['proxy', clusterName, '-g', resourceGroup, '--port', '0', '-f', file]
  const first = sallyportStart(developer, args)
  await first.waitFor(/ready/i)
  const left = readFileSync(file, 'utf8')
  expect(left).toContain('127.0.0.1')
  await first.stop('SIGKILL')
  const second = sallyportStart(developer, args)
  await second.waitFor(/ready/i)
  const during = readFileSync(file, 'utf8')
  expect(during.match(/server: https:\/\/127\.0\.0\.1/g)).toHaveLength(1)
  await second.stop('SIGINT')
  expect(readFileSync(file, 'utf8')).toBe(before)
})
