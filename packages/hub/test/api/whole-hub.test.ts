/**
 * The whole hub, with its own sign-in and certificate, and Azure's clients in a process of their own.
 * @module
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { call, hubHome, startProgram } from '../hub-fixture.ts'
import { rsaOnboardingKey } from './support/agent.ts'

const run = promisify(execFile)

test('serves Azure clients that know only its address, its CA and a service principal', async () => {
  const home = hubHome()
  const hub = await startProgram('hub', home.flags())
  try {
    const { tenantId, clientId, clientSecret } = home.administrator()
    const script = join(import.meta.dirname, 'support', 'azure-client-main.ts')
    const { certificate } = rsaOnboardingKey()
    const { stdout } = await run(
      process.execPath,
      [script, hub.url, tenantId, clientId, certificate],
      {
        env: {
          ...process.env,
          NODE_EXTRA_CA_CERTS: join(home.data, 'ca.crt'),
          CLIENT_SECRET: clientSecret,
        },
      },
    )
    expect(JSON.parse(stdout)).toEqual({ state: 'Succeeded', listed: ['c1'], left: 0 })
    const anonymous = await call(`${hub.url}/tenants?api-version=2022-12-01`, { ca: home.ca() })
    expect(anonymous.status).toBe(401)
    expect(anonymous.headers['www-authenticate']).toContain(`${hub.url}/${tenantId}`)
  } finally {
    await hub.stop()
    home.remove()
  }
})
