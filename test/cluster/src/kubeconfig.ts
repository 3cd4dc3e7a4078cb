/**
 * Kubeconfig files of the cluster's programs and its administrator.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import type { KeyPairFiles } from './certificates.ts'

/** Writes a kubeconfig with everything inside it, so that it can be copied elsewhere; mode 0600. */
export async function writeKubeconfig(
  file: string,
  server: string,
  credentials: { ca: string; client: KeyPairFiles; user: string },
): Promise<string> {
  const base64 = async (path: string): Promise<string> => (await readFile(path)).toString('base64')
  const name = 'sallyport-cluster'
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name, cluster: { server, 'certificate-authority-data': await base64(credentials.ca) } },
    ],
    users: [
      {
        name: credentials.user,
        user: {
          'client-certificate-data': await base64(credentials.client.certificate),
          'client-key-data': await base64(credentials.client.key),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: credentials.user } }],
    'current-context': name,
  }
  await writeFile(file, stringify(content, { lineWidth: 0 }), { mode: 0o600 })
  return file
}
