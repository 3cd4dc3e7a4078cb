/**
 * Where the keys of the cluster's service account tokens are published, so that a hub outside can check them: an address in
 * the hub's network with the two documents of OpenID Connect Discovery, as a bucket of a cloud would have them.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAs } from './actors.ts'
import type { Running } from './process.ts'
import { directOk, lab } from './proxied.ts'

const program = fileURLToPath(new URL('./workload-issuer-main.ts', import.meta.url))

/** Publishes the keys of the cluster of this run under `lab().workloadIssuer`. */
export async function publishWorkloadKeys(): Promise<Running> {
  const { directory, network, workloadIssuer, outside } = lab()
  const documents = join(directory, 'workload-issuer.json')
  const jwks = JSON.parse(await directOk(['get', '--raw', '/openid/v1/jwks'])) as unknown
  writeFileSync(
    documents,
    JSON.stringify({
      '/.well-known/openid-configuration': {
        issuer: workloadIssuer,
        jwks_uri: `${workloadIssuer}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      },
      '/openid/v1/jwks': jwks,
    }),
  )
  const running = startAs({ home: directory, netns: network.hub }, [
    process.execPath,
    program,
    documents,
    outside.certificate,
    outside.key,
    workloadIssuer,
  ])
  await running.waitFor(/listening/)
  return running
}
