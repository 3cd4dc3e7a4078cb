/**
 * Every promised behaviour, one id each. A scenario proves one by `verifies('area.topic.detail', …)`; the runner prints
 * the proved and unproved ids and fails on an unproved one.
 * @module
 */

/** Areas in the order they run. */
export const areas = [
  'main-job',
  'relay',
  'arm',
  'identity',
  'authorization',
  'seed',
  'faults',
] as const
export type Area = (typeof areas)[number]

/** What is promised, by area and id. */
export const requirements = {
  'main-job': {
    'net.agent.isolated':
      'the agent works where only the hub port is reachable and into which nothing can connect',
    'cli.login.trust':
      'an unknown hub CA needs its fingerprint once, a wrong fingerprint is refused',
    'cli.login.service-principal': 'login by client id and secret; a wrong secret exits 4',
    'cli.account.show': 'account show names hub, tenant, subscription and principal',
    'cli.group': 'resource groups are created, listed and deleted',
    'cli.connect.steps': 'connect prints numbered steps and ends when the cluster is Connected',
    'cli.connect.twice': 'connecting the same cluster twice is idempotent',
    'cli.list': 'list and show answer json, table, tsv and --query',
    'cli.delete': 'delete stops the agent, removes the resource and leaves nothing behind',
    'cli.version': 'version names client and hub',
    'cli.completion': 'completion scripts are printed and complete cluster names',
    'proxy.ready': 'one ready line, and only after a real request went through',
    'proxy.port': '--port chooses the port',
    'proxy.file': '-f FILE is written there, -f - prints to stdout and touches no file',
    'proxy.kube-context': '--kube-context names the context',
    'proxy.token':
      '--token and --token-file reach the cluster as the service account, without impersonation',
    'proxy.command':
      'proxy NAME -- command runs it with its own kubeconfig and exits with its code',
    'proxy.restore': 'the kubeconfig is as before after Ctrl-C, comments included',
    'proxy.local-tls': 'the local port refuses a client without the certificate of this run',
    'identity.object-id':
      'the API server sees the object id of the principal, in whoami and in its audit log',
    'identity.request-id': 'the audit id of a request names the session',
    'rbac.allow': 'a ClusterRoleBinding for the object id allows',
    'rbac.deny': "its absence gives the API server's own 403",
    'kubectl.get': 'get answers as direct',
    'kubectl.watch': 'get -w follows changes',
    'kubectl.apply': 'apply and delete work',
    'kubectl.logs': 'logs as direct',
    'kubectl.logs-follow': 'logs -f follows a running container',
    'kubectl.exec.stdout': 'exec returns stdout and stderr',
    'kubectl.exec.stdin': 'exec -i carries stdin to its end',
    'kubectl.exec.tty': 'exec -it has a terminal and follows its size',
    'kubectl.exec.exit-code': 'exec returns the exit code of the command',
    'kubectl.attach': 'attach reaches a running process',
    'kubectl.cp.to': 'cp of 64 MiB into a pod, checksums equal',
    'kubectl.cp.from': 'cp of 64 MiB out of a pod, checksums equal',
    'kubectl.port-forward': 'port-forward serves several connections at once',
    'kubectl.debug': 'debug adds an ephemeral container and attaches',
    'kubectl.auth.can-i': 'auth can-i tells the truth',
    'kubectl.auth.whoami': 'auth whoami names the object id',
    'kubectl.wait': 'wait returns when the condition is met',
    'kubectl.edit': 'edit with KUBE_EDITOR changes an object',
    'kubectl.versions': 'get, exec, cp and port-forward with every kubectl, SPDY and WebSocket',
    'helm.lifecycle': 'helm install, upgrade and uninstall',
    'client-node.list': '@kubernetes/client-node lists',
    'client-node.watch': '@kubernetes/client-node watches',
    'client-node.exec': '@kubernetes/client-node executes',
  },
  relay: {
    'relay.hyco': 'an unmodified hyco-ws listener and sender pass',
    'relay.alone': 'sallyport relay alone serves agents and clients of a hub',
    'relay.blind': 'every byte the relay handles, recorded: neither token nor request is in it',
    'relay.middlebox':
      'through a middlebox that strips unknown subprotocols the link falls back to frames',
    'relay.forward-proxy':
      'client and agent reach the relay through an HTTP CONNECT proxy with credentials',
    'relay.sas':
      'no token, a foreign token, a token for another path or right, an expired one: 401 or 403',
    'relay.listeners': 'the 26th listener of a path is refused',
    'relay.rendezvous': 'an accept address works once',
    'relay.renew': 'renewToken keeps a control channel; an expired token closes it with 1008',
  },
  arm: {
    'arm.sdk.clusters':
      'unmodified @azure/arm-hybridkubernetes: create, get, list, update, delete, credential',
    'arm.sdk.subscriptions':
      'unmodified @azure/arm-resources-subscriptions: list, get, locations, tenants',
    'arm.sdk.identity': 'unmodified @azure/identity gets the token',
    'arm.errors': 'every error is the ARM envelope with request ids',
    'arm.api-versions': 'published api-versions are accepted, others refused with the list',
    'arm.case': 'paths and ids match in any case, with double slashes',
    'arm.metadata': '/metadata/endpoints in both shapes',
    'hub.health': '/healthz, /readyz and /metrics answer',
    'hub.openapi': 'OpenAPI is generated from the schemas that validate',
  },
  identity: {
    'identity.person.browser':
      'a person signs in with a browser and arrives as the object id, in whoami and in the audit log',
    'identity.person.device-code': 'a person signs in with a device code and arrives likewise',
    'identity.application.secret': 'an application signs in with a secret and arrives likewise',
    'identity.application.certificate':
      'an application signs in with a certificate and arrives likewise',
    'identity.application.federated':
      'a service account of Kubernetes signs in as the application its credential names, by our CLI and by an unmodified @azure/identity; another subject or audience is refused',
    'identity.account': 'account list, whoami and ad signed-in-user show name the person',
    'identity.outside.dex':
      'a person of a real Dex arrives as the object id anybody can compute, the same every time; disabled here stays out',
    'identity.outside.oidc':
      'groups of another oidc-provider arrive with the prefix, decide, and are gone at the next sign-in without them',
    'identity.outside.entra':
      'a person of Entra arrives as its oid, with 300 groups asked of Graph, any one of which decides',
    'identity.groups':
      'with 5,000 groups, person and application: a binding to any one of them decides',
    'identity.groups.time':
      'the first request with 5,000 groups takes at most 1.5 times that with 5',
    'guard.http':
      'what a client sends to be somebody else is refused before the API server, or arrives as nothing; one identity, its own',
    'guard.path': 'targets are refused or reach the API server byte for byte',
    'guard.names': 'the API server understands names exactly, and never one that looks reserved',
    'identity.stolen.cluster-token':
      'a stolen cluster token and relay ticket gain nothing without the private key',
    'identity.stolen.refresh-token':
      'a refresh token used twice ends the sign-in of both, access tokens included',
    'identity.stolen.cookie': 'the cookies of a finished sign-in sign nobody in',
    'identity.stolen.database': 'a copy of the database holds nothing that lets anybody in',
    'identity.refresh.concurrent':
      'two CLIs of one person renew an expired sign-in at once: both succeed, nobody is signed out',
    'revocation.user':
      'a disabled user: new requests refused in 1 s, exec, watch and port-forward cut in 2 s',
    'revocation.group': 'a group membership that is removed: likewise, and the session goes on',
    'revocation.secret': 'an application whose secret is removed: likewise',
    'revocation.session': 'a session that is killed: likewise, and it cannot be renewed',
    'revocation.lease':
      'an agent cut off from the hub closes after its lease, says so, and opens again by itself',
    'revocation.expired-sign-in':
      'a proxy whose sign-in has ended says so once: what, why, what to do; exit 4',
    'revocation.rotation':
      'signing keys rotate while a proxy runs: no stream notices, new sessions work',
  },
  authorization: {
    'authorization.effect': 'an assignment takes effect in the cluster in 2 s, its removal too',
    'authorization.gate-1':
      'without the user role no way in; who loses it is cut in 2 s, exec, watch and port-forward',
    'authorization.namespace': 'a role at a namespace reaches that namespace and no other',
    'authorization.viewer': 'a viewer reads no Secret by any path, and runs nothing',
    'authorization.restore': 'what is changed by hand in the cluster is put back',
    'authorization.foreign': 'objects of others, of the same label or name, are not touched',
    'authorization.hub-down': 'a hub that does not answer changes nothing in the cluster',
    'authorization.catch-up': 'an agent that was down catches up with what was assigned meanwhile',
    'authorization.features':
      'with cluster-connect disabled running sessions end and no new one opens; with azure-rbac disabled only bindings of the cluster decide',
    'authorization.two-at-once': 'two administrators change the same assignment at once',
    'authorization.remove':
      'a disconnected cluster keeps nothing of the agent, and everything of others',
    'authorization.expiry': 'an assignment that expires is gone from hub and cluster',
  },
  seed: {
    'seed.page': 'docs/cluster-connect.md runs top to bottom',
    'seed.azure-page':
      'the Bash tab of the Azure Arc how-to runs, every option, az being sallyport',
  },
  faults: {
    'fault.cluster-unknown': 'proxy to an unknown cluster: exit 3',
    'fault.agent-down': 'proxy while the agent is down: exit 6, says since when',
    'fault.hub-down': 'any command while the hub is down: exit 6',
    'fault.token-wrong': 'a wrong service account token: exit 4',
    'fault.token-expired': 'an expired service account token: exit 4',
    'fault.port-taken': 'a taken port: exit 8, nothing written',
    'fault.kubeconfig-read-only': 'a read-only kubeconfig: clear error before any call, unchanged',
    'fault.kubeconfig-broken': 'a broken kubeconfig: clear error, unchanged',
    'fault.store-full':
      'a full disk under the store: 507, reads go on, writes work again with space',
    'fault.store-corrupt': 'a corrupt store file: the hub refuses to start and leaves it as it is',
    'fault.kill-hub':
      'kill -9 of the hub at any moment and start again: nothing acknowledged is lost',
    'fault.kill-agent': 'kill -9 of the agent and start again: the same proxy works again',
    'fault.kill-cli': 'kill -9 of the CLI: the next proxy cleans up what it left',
    'fault.agent-key-changed':
      'a changed agent key is a hard stop that names both keys and the line',
    'fault.two-agents':
      'a second agent with other keys cannot enrol; two of the same state share the load',
    'fault.connect-other-cluster': 'connect under the name of another cluster: exit 8',
    'fault.connect-interrupted':
      'SIGINT at each step of connect: said what remains, the next connect works',
    'fault.impersonation':
      '--as through the proxy is refused with a clear text and never reaches the API server',
  },
} as const satisfies Record<Area, Record<string, string>>

/** One promised behaviour. */
export type RequirementId = {
  [A in Area]: keyof (typeof requirements)[A]
}[Area]
