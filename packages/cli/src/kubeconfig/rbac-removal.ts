/**
 * Takes out of a cluster what its agent made of role assignments, once that agent runs no more.
 * @module
 */
import Type from 'typebox'
import {
  RbacMetadataSchema,
  SallyportError,
  limits,
  rbacKinds,
  rbacListPath,
  rbacMarks,
  rbacObjectPath,
  rbacOwner,
  type RbacAddress,
  type RbacKind,
} from '@sallyport/protocol'
import type { KubeContext } from './kube-context.ts'
import { createKubernetesClient, type KubernetesClient } from './kubernetes-client.ts'

const open = { additionalProperties: true } as const
const ListSchema = Type.Object(
  {
    metadata: Type.Object({ continue: Type.Optional(Type.String()) }, open),
    items: Type.Array(Type.Object({ metadata: RbacMetadataSchema }, open)),
  },
  open,
)

interface Materialised extends RbacAddress {
  uid: string
}

/** The one line that removes by hand what an agent made. */
export function removalCommand(mark: string, kube?: { file: string; context: string }): string {
  const where =
    kube === undefined ? '' : ` --kubeconfig ${quoted(kube.file)} --context ${quoted(kube.context)}`
  const kinds = rbacKinds.map(({ plural }) => plural).join(',')
  return `kubectl${where} delete ${kinds} -A -l ${rbacMarks.cluster}=${mark}`
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`

/**
 * Deletes the objects of one agent, bindings first; what only looks like them is left. The number of objects.
 * @throws SallyportError ERR_KUBERNETES_UNREACHABLE, ERR_KUBERNETES_TOKEN, ERR_KUBERNETES_FORBIDDEN.
 */
export async function removeMaterialised(
  context: KubeContext,
  mark: string,
  signal: AbortSignal,
): Promise<number> {
  const client = createKubernetesClient(context)
  try {
    let count = 0
    for (const { kind } of rbacKinds) {
      const found = await listOurs(client, { kind, mark }, signal)
      count += found.length
      // A few at a time: an agent may have made thousands.
      for (let from = 0; from < found.length; from += limits.materialiseConcurrency) {
        const some = found.slice(from, from + limits.materialiseConcurrency)
        await Promise.all(
          some.map((object) =>
            client.delete({ path: rbacObjectPath(object), uid: object.uid }, signal),
          ),
        )
      }
    }
    return count
  } finally {
    await client.close()
  }
}

/** By name and field manager, since labels can be taken off by hand. */
async function listOurs(
  client: KubernetesClient,
  wanted: { kind: RbacKind; mark: string },
  signal: AbortSignal,
): Promise<Materialised[]> {
  const { kind, mark } = wanted
  const ours: Materialised[] = []
  let seen = 0
  let next = ''
  do {
    const more = next === '' ? '' : `&continue=${encodeURIComponent(next)}`
    const path = `${rbacListPath(kind)}?limit=${limits.materialisePage}${more}`
    const list = await client.get(path, ListSchema, signal)
    for (const { metadata } of list.items) {
      if (rbacOwner(metadata, mark) !== 'ours') continue
      ours.push({ kind, name: metadata.name, namespace: metadata.namespace, uid: metadata.uid })
    }
    seen += list.items.length
    next = list.metadata.continue ?? ''
    if (seen > limits.materialiseObjects)
      throw new SallyportError('ERR_KUBERNETES_UNREACHABLE', `there are too many ${kind} objects`)
  } while (next !== '')
  return ours
}
