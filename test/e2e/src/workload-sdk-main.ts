/**
 * The unmodified WorkloadIdentityCredential of @azure/identity, as it runs in a pod: prints which application the hub made of its token.
 * @module
 */
import { WorkloadIdentityCredential } from '@azure/identity'

const [hub = '', tenantId = '', clientId = '', tokenFilePath = ''] = process.argv.slice(2)
const credential = new WorkloadIdentityCredential({
  authorityHost: hub,
  disableInstanceDiscovery: true,
  tenantId,
  clientId,
  tokenFilePath,
})
const { token } = await credential.getToken(`${hub}/.default`)
const claims = JSON.parse(
  Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
) as Record<string, unknown>
process.stdout.write(String(claims['oid']))
