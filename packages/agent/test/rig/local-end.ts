/**
 * The kubectl side of one stream: writes raw bytes, reads raw bytes.
 * @module
 */
import { once } from 'node:events'
import { duplexPair, type Duplex } from 'node:stream'

/** One end of an in-process stream; the other goes to the agent. */
export class LocalEnd {
  readonly stream: Duplex
  readonly agentEnd: Duplex
  received = ''
  ended = false
  /** The agent broke the stream off instead of ending it: a reset on a real link. */
  broken = false

  constructor() {
    const [local, agent] = duplexPair()
    this.stream = local
    this.agentEnd = agent
    local.setEncoding('latin1')
    local.on('data', (text: string) => {
      this.received += text
    })
    local.on('end', () => {
      this.ended = true
    })
    local.on('error', () => undefined)
    // A destroyed peer is a broken stream here, as a reset is on the link.
    agent.once('close', () => {
      this.broken = !agent.writableFinished
      if (this.broken) local.destroy()
    })
    local.once('close', () => {
      if (!local.writableFinished) agent.destroy()
    })
  }

  write(text: string): void {
    this.stream.write(Buffer.from(text, 'latin1'))
  }

  /** Resolves when `found` is true of what was received; rejects when the stream ends first or time is up. */
  async until(found: (received: string) => boolean, timeoutMs = 5_000): Promise<string> {
    const signal = AbortSignal.timeout(timeoutMs)
    while (!found(this.received)) {
      if (this.stream.destroyed || this.ended)
        throw new Error(`the stream ended after: ${JSON.stringify(this.received)}`)
      await Promise.race([
        once(this.stream, 'data', { signal }),
        once(this.stream, 'end', { signal }),
        once(this.stream, 'close', { signal }),
      ])
    }
    return this.received
  }

  /** Resolves with everything received when the stream has ended or broken. */
  async end(timeoutMs = 5_000): Promise<string> {
    const signal = AbortSignal.timeout(timeoutMs)
    if (!this.ended && !this.stream.destroyed)
      await Promise.race([
        once(this.stream, 'end', { signal }),
        once(this.stream, 'close', { signal }),
      ])
    return this.received
  }

  /** Resolves with a whole answer whose body has a Content-Length. */
  async answer(): Promise<string> {
    return this.until((text) => {
      const end = text.indexOf('\r\n\r\n')
      const length = /^content-length: (\d+)/im.exec(text)?.[1]
      return end !== -1 && length !== undefined && text.length >= end + 4 + Number(length)
    })
  }
}
