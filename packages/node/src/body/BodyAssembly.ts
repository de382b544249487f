/** Joins the chunks of a body; a large one in steps, one per turn: copying 256 MiB at once would block the event loop for a second. */

const stepBytes = 2 * 1024 * 1024

/** Whether a body of this size is joined in one turn. */
export const isAssembledAtOnce = (size: number): boolean => size <= 2 * stepBytes

/**
 * Memory of its own, to be written to the last byte. Nothing clears it first: that takes longer than the copy. It is no part of
 * a pool, among the bytes of others.
 */
const memoryOf = (size: number): Uint8Array => {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(size)
  return new Uint8Array(buffer, byteOffset, size)
}

/** The first bytes of some chunks. */
export const join = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const bytes = memoryOf(size)
  let at = 0
  for (const chunk of chunks) {
    const left = size - at
    bytes.set(chunk.length > left ? chunk.subarray(0, left) : chunk, at)
    at += Math.min(chunk.length, left)
  }
  return written(bytes, at)
}

/** Clears what no chunk has written. */
const written = (bytes: Uint8Array, size: number): Uint8Array =>
  size === bytes.length ? bytes : bytes.fill(0, size)

export class BodyAssembly {
  private readonly bytes: Uint8Array
  private readonly chunks: Iterator<Uint8Array>
  private readonly done: (bytes: Uint8Array) => void
  private size = 0
  private next: NodeJS.Immediate | undefined

  constructor(chunks: ReadonlyArray<Uint8Array>, size: number, done: (bytes: Uint8Array) => void) {
    this.bytes = memoryOf(size)
    this.chunks = chunks[Symbol.iterator]()
    this.done = done
    this.step()
  }

  private step(): void {
    for (const end = this.size + stepBytes; this.size < end; ) {
      const { done, value } = this.chunks.next()
      if (done === true) return this.done(written(this.bytes, this.size))
      this.bytes.set(value, this.size)
      this.size += value.length
    }
    this.next = setImmediate(() => this.step())
  }

  abort(): void {
    clearImmediate(this.next)
  }
}
