/**
 * The pod scenarios work on: busybox in a namespace of its own, with a web server and a log.
 * @module
 */
import { applyDirect, cluster, directOk } from './proxied.ts'

/** Shell program of the container: a line a second on stdout, a web server on 8080, and an echo for attach. */
const program = [
  'mkdir -p /www && echo hello > /www/index.html && httpd -p 8080 -h /www',
  'echo started; i=0; while true; do i=$((i+1)); echo "line $i"; sleep 1; done & ',
  'while read -r line; do echo "got $line"; done; sleep 100000',
].join('\n')

/** A pod of the test image. */
export function podManifest(namespace: string, name: string, command: string = program) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image: cluster().image,
          imagePullPolicy: 'Never',
          command: ['/bin/sh', '-c', command],
          stdin: true,
          ports: [{ containerPort: 8080 }],
        },
      ],
    },
  }
}

/** Creates a namespace with one ready pod. */
export async function createWorkload(namespace: string, name: string): Promise<void> {
  await applyDirect({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await applyDirect(podManifest(namespace, name))
  await directOk(['wait', '-n', namespace, '--for=condition=Ready', `pod/${name}`, '--timeout=60s'])
}

/** Deletes a namespace without waiting for its end. */
export async function removeWorkload(namespace: string): Promise<void> {
  await directOk(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found'])
}
