/**
 * The words of the demo: what it is, what happened, what to do next.
 * @module
 */
import { line, paint } from './stage.ts'
import type { Walk } from './walk.ts'

/** Title and what is about to happen. */
export function opening(node: boolean): void {
  line()
  line(`  ${paint('bold', 'Sallyport')}: kubectl to any cluster, no inbound port`)
  line(
    paint(
      'dim',
      node
        ? '  A sandbox Kubernetes with one node on this machine, and everything between it and your kubectl.'
        : '  A sandbox control plane on this machine, and everything between it and your kubectl.',
    ),
  )
  line()
}

/** One request of the walk as the API server's audit log has it. */
interface AuditEvent {
  verb: string
  requestURI: string
  user: { username: string }
  impersonatedUser?: { username: string }
}

function lastListOfPods(auditLog: string): AuditEvent | undefined {
  return auditLog
    .split('\n')
    .filter((text) => text.includes('/api/v1/pods') && text.includes('impersonatedUser'))
    .map((text) => JSON.parse(text) as AuditEvent)
    .at(-1)
}

/** What happened on the way, read back from the running parts, and how to go on. */
export function closingWords(
  walk: Walk,
  options: { once: boolean; read: (file: string) => string },
): void {
  const event = lastListOfPods(options.read(walk.auditLog))
  line()
  line(`  ${paint('bold', 'What happened')}`)
  line(
    '  kubectl ─TLS─▶ sallyport proxy ═══ TLS 1.3, pinned agent key ═══▶ agent ─TLS─▶ kube-apiserver',
  )
  line('                                └─ relay: ciphertext only ─┘')
  line(`  The relay carried ${walk.relayBytes} bytes it cannot read; the agent listens on no port.`)
  if (event?.impersonatedUser !== undefined) {
    line(`  The API server's audit log: ${event.verb} ${event.requestURI.split('?')[0] ?? ''}`)
    line(
      `    as ${paint('green', event.impersonatedUser.username)}, impersonated by ${event.user.username}`,
    )
  }
  if (options.once) return
  line()
  line(`  ${paint('bold', 'Your turn')}, in another shell:`)
  line(`    export KUBECONFIG=${walk.kubeconfig}`)
  line(`    ${walk.kubectl} get namespaces`)
  if (walk.pod !== undefined) line(`    ${walk.kubectl} exec -it ${walk.pod} -- sh`)
  line(paint('dim', '  Ctrl-C ends the demo and removes everything it made.'))
}

/** A failed step: what it said, without a stack. */
export function explainFailure(error: unknown): void {
  line()
  line(`  ${paint('red', 'error:')} ${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof Error && error.cause instanceof Error)
    line(`    why: ${error.cause.message}`)
}
