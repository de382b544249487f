/** Joins a large body in steps, one per turn: copying 256 MiB at once would block the event loop for a second. */

const stepBytes = 2 * 1024 * 1024

/** Whether a body of this size is joined in one turn. */
export const isAssembledAtOnce = (size: number): boolean => size <= 2 * stepBytes

export class BodyAssembly {
  private readonly bytes: Uint8Array
  private readonly chunks: Iterator<Uint8Array>
  private readonly done: (bytes: Uint8Array) => void
  private size = 0
  private next: NodeJS.Immediate | undefined

  constructor(chunks: ReadonlyArray<Uint8Array>, size: number, done: (bytes: Uint8Array) => void) {
    this.bytes = new Uint8Array(size)
    this.chunks = chunks[Symbol.iterator]()
    this.done = done
    this.step()
  }

  private step(): void {
    for (const end = this.size + stepBytes; this.size < end; ) {
      const { done, value } = this.chunks.next()
      if (done === true) return this.done(this.bytes)
      this.bytes.set(value, this.size)
      this.size += value.length
    }
    this.next = setImmediate(() => this.step())
  }

  abort(): void {
    clearImmediate(this.next)
  }
}
