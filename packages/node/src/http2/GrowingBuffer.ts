/** Collects bytes in one growing buffer, so that many small chunks cost no object each. */
export class GrowingBuffer {
  private bytes: Buffer | undefined
  private size = 0

  add(chunk: Buffer): void {
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
    const { bytes, size } = this
    this.bytes = undefined
    this.size = 0
    return bytes?.subarray(0, size)
  }
}
