/** Bytes that wait: one buffer that grows, however small the parts are in which they come. */
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

  /** All of them, and nothing is held any more. */
  take(): Buffer | undefined {
    const { bytes, size } = this
    this.bytes = undefined
    this.size = 0
    return bytes?.subarray(0, size)
  }
}
