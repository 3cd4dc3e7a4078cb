/**
 * Outside sign-in in a real application with a real store, before the pages of our own sign-in: its hooks are a cookie for the
 * interaction and an answer that names who signed in.
 * @module
 */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import type { IssuerPut } from '@sallyport/protocol'
import { createOutsideIdentity } from '../../../../src/identity/issuers/outside-identity.ts'
import { createApp } from '../../../../src/server/app.ts'
import { createLog } from '../../../../src/server/log.ts'
import { createMetrics } from '../../../../src/server/metrics.ts'
import { openStore } from '../../../../src/store/store.ts'
import { makeCertificates } from '../../../api/support/certificates.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'
import { call, type Answer } from '../../../hub-fixture.ts'

/** An answer of the rig: who signed in, or the text of the page. */
export interface Arrival {
  status: number
  objectId: string | undefined
  text: string
}

/** The rig. */
export type SignInRig = Awaited<ReturnType<typeof signInRig>>

/** Makes it; `authorities` are trusted of issuers. */
export async function signInRig(authorities: string[]) {
  const directory = temporaryDirectory()
  const certificates = await makeCertificates(directory.path)
  const store = await openStore({ directory: `${directory.path}/data` })
  const server = createServer({ key: certificates.key, cert: certificates.certificate })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const publicUrl = `https://localhost:${(server.address() as AddressInfo).port}`
  const lines: string[] = []
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString())
      done()
    },
  })
  const log = createLog(sink, 'debug')
  const app = createApp({ server, log, metrics: createMetrics() })
  const clock = { offset: 0 }
  let changes = 0
  const outside = createOutsideIdentity({
    store,
    dataDirectory: `${directory.path}/data`,
    publicUrl,
    authorities,
    log,
    onChange: () => {
      changes += 1
    },
    now: () => Date.now() + clock.offset,
  })
  outside.register(app, {
    interactionOf: (request) =>
      Promise.resolve(/interaction=([a-z0-9]+)/.exec(request.headers.cookie ?? '')?.[1]),
    finish: (_request, reply, objectId) => reply.send({ objectId }),
    sendProblem: (reply, { status, text }) => reply.code(status).type('text/plain').send(text),
  })
  await app.ready()
  server.on('request', (request, response) => {
    app.routing(request, response)
  })
  const get = (url: string, ca: string, cookie = 'interaction=browser1'): Promise<Answer> =>
    call(url, { ca, headers: { cookie } })
  const hub: Hub = { publicUrl, ca: certificates.ca, get }
  return {
    ...outside,
    store,
    clock,
    publicUrl,
    ca: certificates.ca,
    dataDirectory: `${directory.path}/data`,
    log: () => lines.join(''),
    changes: () => changes,
    get,
    /** Saves an issuer. */
    put: (alias: string, body: IssuerPut) => outside.management.put(alias, body),
    /** Sends a browser out; where the issuer sends it back to. */
    depart: (alias: string, issuerCa: string) => depart(hub, alias, issuerCa),
    /** Out and back again. */
    signIn: async (alias: string, issuerCa: string): Promise<Arrival> => {
      const back = await depart(hub, alias, issuerCa)
      return typeof back === 'string' ? arrive(back, hub) : back
    },
    arrive: (address: string, cookie?: string) => arrive(address, hub, cookie),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await app.close()
      server.close()
      await store.close()
      directory[Symbol.dispose]()
    },
  }
}

type Get = (url: string, ca: string, cookie?: string) => Promise<Answer>

interface Hub {
  publicUrl: string
  ca: string
  get: Get
}

/** The address the issuer sends the browser back to, or the page that said why it does not get there. */
async function depart(hub: Hub, alias: string, issuerCa: string): Promise<string | Arrival> {
  const out = await hub.get(`${hub.publicUrl}/signin/outside/${alias}?uid=browser1`, hub.ca)
  if (out.status !== 303) return { status: out.status, objectId: undefined, text: out.text }
  const there = await hub.get(out.headers.location ?? '', issuerCa)
  return there.headers.location ?? ''
}

/** Follows the browser back into the hub. */
async function arrive(address: string, { ca, get }: Hub, cookie?: string): Promise<Arrival> {
  const first = await get(address, ca, cookie)
  const { location } = first.headers
  const answer =
    first.status === 303 && location !== undefined
      ? await get(new URL(location, address).href, ca, cookie)
      : first
  const objectId =
    answer.status === 200 ? (answer.json() as { objectId: string }).objectId : undefined
  return { status: answer.status, objectId, text: answer.text }
}
