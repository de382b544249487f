/** The first `size` bytes of several chunks. A single chunk is not copied. */
export const concat = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const first = chunks[0]
  if (first !== undefined && first.length >= size)
    return first.length === size ? first : first.subarray(0, size)
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(offset + chunk.length > size ? chunk.subarray(0, size - offset) : chunk, offset)
    offset += chunk.length
    if (offset >= size) break
  }
  return bytes
}

/**
 * The same bytes as a plain `Uint8Array` with memory of its own. Node's `Buffer` is a view of a shared pool or of a
 * socket's read buffer, next to other bytes: such a view is copied.
 */
export const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
  if (!isOverArrayBuffer(bytes) || bytes.buffer.byteLength !== bytes.length) return new Uint8Array(bytes)
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer)
}

const isOverArrayBuffer = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer

/** Below this size, copying a chunk costs less memory than keeping its object. */
const smallBytes = 1024
const blockBytes = 16 * 1024
/** How much memory beyond twice their own bytes the chunks may hold. */
const slackBytes = 128 * 1024

/**
 * Chunks to concatenate at the end. They hold little more memory than their bytes, whatever their sizes, which a
 * server chooses: small chunks are copied together, and so is a small part of a large buffer.
 */
export class Collector {
  size = 0
  private chunks: Array<Uint8Array> = []
  /** The free part of the block that chunks are copied into, and how many bytes of the block are in use. */
  private block: Uint8Array = none
  private taken = 0
  /** How much memory is held, and the buffer of the last chunk that was kept without a copy. */
  private held = 0
  private buffer: ArrayBufferLike | undefined

  add(chunk: Uint8Array): void {
    this.size += chunk.length
    if (this.isWorthKeeping(chunk)) {
      this.seal()
      this.chunks.push(chunk)
      return
    }
    if (this.taken + chunk.length > this.block.length) {
      this.seal()
      this.block = new Uint8Array(Math.max(blockBytes, chunk.length))
      this.held += this.block.length
    }
    this.block.set(chunk, this.taken)
    this.taken += chunk.length
  }

  private isWorthKeeping({ buffer, length }: Uint8Array): boolean {
    if (length < smallBytes && this.chunks.length > 0) return false
    const held = this.held + (buffer === this.buffer ? 0 : buffer.byteLength)
    if (held > 2 * this.size + slackBytes) return false
    this.held = held
    this.buffer = buffer
    return true
  }

  /** The first bytes, at most `limit`. The memory may be a chunk's own. */
  concat(limit: number): Uint8Array {
    this.seal()
    return concat(this.chunks, Math.min(this.size, limit))
  }

  /** Everything added since the last call, in few chunks. */
  take(): ReadonlyArray<Uint8Array> {
    this.seal()
    const { chunks } = this
    // Not a literal: see `freshArray`.
    this.chunks = noChunks.slice()
    this.size = 0
    this.held = 0
    this.buffer = undefined
    return chunks
  }

  private seal(): void {
    if (this.taken === 0) return
    this.chunks.push(this.block.subarray(0, this.taken))
    this.block = this.block.subarray(this.taken)
    this.taken = 0
  }
}

const noChunks: ReadonlyArray<Uint8Array> = []

const none = new Uint8Array(0)

/** Whether a value is a `Uint8Array` of any realm: test runners and workers of Node have several. */
export const isBytes = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array || Object.prototype.toString.call(value) === "[object Uint8Array]"

/** Why a body cannot be read: the `Response` of a mock or a polyfill may hold a stream of anything. */
export const notBytes = (value: unknown): Error => {
  const kind = value === null ? "null" : `a value of type ${typeof value}`
  return Object.assign(new TypeError(`its body must give bytes (Uint8Array), and gave ${kind}`), {
    code: "ERR_NOT_BYTES"
  })
}
