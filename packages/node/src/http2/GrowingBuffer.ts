/** Collects bytes in one growing buffer, so that many small chunks cost no object each. */
export class GrowingBuffer {
  private bytes: Buffer | undefined
  private size = 0
  /** The first chunk, while it is the only one. */
  private held: Buffer | undefined

  /** Adds a copy. */
  add(chunk: Buffer): false {
    const { held } = this
    if (held !== undefined) {
      this.held = undefined
      this.copy(held)
    }
    this.copy(chunk)
    return false
  }

  /** Adds a chunk for a moment. A single one is not copied: it may keep a larger buffer alive. */
  hold(chunk: Buffer): true {
    if (this.held === undefined && this.size === 0) this.held = chunk
    else this.add(chunk)
    return true
  }

  private copy(chunk: Buffer): void {
    const size = this.size + chunk.length
    if (this.bytes === undefined || this.bytes.length < size) {
      const grown = Buffer.allocUnsafeSlow(Math.max(size, 2 * (this.bytes?.length ?? 0), 1024))
      this.bytes?.copy(grown, 0, 0, this.size)
      this.bytes = grown
    }
    chunk.copy(this.bytes, this.size)
    this.size = size
  }

  /** Returns all bytes and empties the buffer. */
  take(): Buffer | undefined {
    const { bytes, held, size } = this
    this.held = undefined
    this.bytes = undefined
    this.size = 0
    return held ?? bytes?.subarray(0, size)
  }
}
