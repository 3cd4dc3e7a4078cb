/**
 * Turns frames of one WebSocket client into frames for another one. RFC 6455 section 5.1: what a client sends is masked, what it
 * gets must not be; so the mask comes off, and nothing else changes. No message is assembled: at most one header is held.
 * @module
 */
import bufferUtil from 'bufferutil'

/** Why bytes are not a frame that may pass; the close code of RFC 6455 for it is 1002. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

/** Below this size moving bytes is cheaper than one more chunk to write. */
const smallPayload = 512
/** Below this size the call into native code costs more than it saves. */
const smallMask = 32
const longestHeader = 14
const opcodeClose = 8
const control = { longest: 125, firstOpcode: 8 } as const
const knownOpcodes = new Set([0, 1, 2, 8, 9, 10])

/** One direction. Chunks are rewritten in place and must not be used elsewhere. */
export class FrameRewriter {
  readonly #header = Buffer.alloc(longestHeader)
  readonly #mask = Buffer.alloc(4)
  #headerBytes = 0
  #remaining = 0
  #opcode = 0
  #isClosed = false
  #failure: FrameError | undefined
  /** Bytes `[start, end)` of the current chunk are output that is not in `#out` yet. */
  #out: Buffer[] = []
  #start = 0
  #end = 0

  /** A close frame has passed completely; what follows it is dropped. */
  get closed(): boolean {
    return this.#isClosed
  }

  /** Why the bytes are no client frames; what follows is dropped. */
  get failure(): FrameError | undefined {
    return this.#failure
  }

  /** Whether the output stands between two frames, where one more can be put in. */
  get atBoundary(): boolean {
    return this.#remaining === 0
  }

  /** @returns what to send for this chunk, up to the end of a close frame or to a failure. */
  rewrite(chunk: Buffer): Buffer[] {
    this.#out = []
    this.#start = 0
    this.#end = 0
    let at = 0
    try {
      while (at < chunk.length && !this.#isClosed && this.#failure === undefined) {
        at = this.#remaining > 0 ? this.#payload(chunk, at) : this.#head(chunk, at)
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#failure = error
    }
    this.#flush(chunk)
    return this.#out
  }

  #payload(chunk: Buffer, at: number): number {
    const next = Math.min(at + this.#remaining, chunk.length)
    this.#unmask(chunk.subarray(at, next))
    this.#append(chunk, at, next)
    this.#remaining -= next - at
    if (this.#remaining === 0) this.#endOfFrame()
    return next
  }

  /** Takes header bytes until the header is complete, then writes it without the mask. */
  #head(chunk: Buffer, at: number): number {
    const heldBefore = this.#headerBytes
    let next = at
    let length = this.#headerLength()
    while (this.#headerBytes < length && next < chunk.length) {
      this.#header[this.#headerBytes++] = chunk[next++] ?? 0
      length = this.#headerLength()
    }
    if (this.#headerBytes < length) return next
    this.#readHeader(length)
    this.#headerBytes = 0
    if (heldBefore > 0) this.#emitHeader(chunk, next, length)
    else this.#moveHeader(chunk, next, length)
    if (this.#remaining === 0) this.#endOfFrame()
    return next
  }

  /** Length of the header as far as it is known: two bytes tell all of it. */
  #headerLength(): number {
    if (this.#headerBytes < 2) return 2
    const [first = 0, second = 0] = this.#header
    checkFirstBytes(first, second)
    const shortLength = second & 0x7f
    const extended = shortLength === 126 ? 2 : shortLength === 127 ? 8 : 0
    return 2 + extended + 4
  }

  #readHeader(length: number): void {
    const header = this.#header
    this.#opcode = (header[0] ?? 0) & 0x0f
    header[1] = (header[1] ?? 0) & 0x7f
    const shortLength = header[1]
    this.#remaining =
      shortLength === 126
        ? header.readUInt16BE(2)
        : shortLength === 127
          ? longLength(header)
          : shortLength
    header.copy(this.#mask, 0, length - 4, length)
  }

  /** A header that began in an earlier chunk has no room in this one. */
  #emitHeader(chunk: Buffer, next: number, length: number): void {
    this.#flush(chunk)
    this.#out.push(Buffer.from(this.#header.subarray(0, length - 4)))
    this.#start = next
    this.#end = next
  }

  /** Either forward over the mask, so that a long payload stays where it is, or back to the output before it. */
  #moveHeader(chunk: Buffer, next: number, length: number): void {
    const isLong = Math.min(this.#remaining, chunk.length - next) >= smallPayload
    if (isLong || this.#start === this.#end) {
      this.#flush(chunk)
      this.#start = next - (length - 4)
      this.#end = this.#start
    }
    this.#header.copy(chunk, this.#end, 0, length - 4)
    this.#end += length - 4
  }

  #append(chunk: Buffer, at: number, next: number): void {
    if (this.#start === this.#end) {
      this.#start = at
    } else if (this.#end !== at) {
      if (next - at < smallPayload) {
        chunk.copyWithin(this.#end, at, next)
        this.#end += next - at
        return
      }
      this.#flush(chunk)
      this.#start = at
    }
    this.#end = next
  }

  #flush(chunk: Buffer): void {
    if (this.#end > this.#start) this.#out.push(chunk.subarray(this.#start, this.#end))
    this.#start = this.#end
  }

  #unmask(payload: Buffer): void {
    const mask = this.#mask
    const [a = 0, b = 0, c = 0, d = 0] = mask
    if ((a | b | c | d) === 0) return
    if (payload.length >= smallMask) {
      bufferUtil.unmask(payload, mask)
    } else {
      for (let at = 0; at < payload.length; at++) {
        payload[at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0)
      }
    }
    // The next chunk goes on in the middle of the key.
    const shift = payload.length & 3
    if (shift === 1) mask.set([b, c, d, a])
    else if (shift === 2) mask.set([c, d, a, b])
    else if (shift === 3) mask.set([d, a, b, c])
  }

  #endOfFrame(): void {
    if (this.#opcode === opcodeClose) this.#isClosed = true
  }
}

function checkFirstBytes(first: number, second: number): void {
  const opcode = first & 0x0f
  if ((first & 0x70) !== 0) throw new FrameError('a reserved bit is set')
  if (!knownOpcodes.has(opcode)) throw new FrameError('the opcode is unknown')
  if ((second & 0x80) === 0) throw new FrameError('the frame is not masked')
  if (opcode < control.firstOpcode) return
  if ((first & 0x80) === 0) throw new FrameError('a control frame is fragmented')
  if ((second & 0x7f) > control.longest) throw new FrameError('a control frame is too long')
}

function longLength(header: Buffer): number {
  const length = header.readBigUInt64BE(2)
  if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new FrameError('the length is out of range')
  return Number(length)
}
