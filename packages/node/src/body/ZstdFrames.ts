/**
 * Finds the ends of zstd frames (RFC 8878, 3.1). Node 22 accepts a truncated body as complete and drops a frame that
 * starts in the chunk where another ends, so the input is split at frames first.
 */

const magic = [0x28, 0xb5, 0x2f, 0xfd]
/** Magic number of a frame of user data, which decoders skip. The low four bits of its first byte vary. */
const skippable = [0x50, 0x2a, 0x4d, 0x18]

const dictionaryBytes = [0, 1, 2, 4]
const contentSizeBytes = [0, 2, 4, 8]

type Field = "magic" | "skippable size" | "descriptor" | "block"

const fieldBytes: Readonly<Record<Field, number>> = { magic: 4, "skippable size": 4, descriptor: 1, block: 3 }

export class ZstdFrames {
  /** The field after the bytes to skip, and the part of it read so far. */
  private field: Field = "magic"
  private value = 0
  private valueBytes = 0
  private bytesToSkip = 0
  private hasChecksum = false
  private hasFrame = false
  private isOver = false

  /** Whether the rest is not a frame, but padding or garbage. */
  get isPastLastFrame(): boolean {
    return this.isOver && this.hasFrame
  }

  /** Whether the input ends inside a frame, or before the first one. */
  get isTruncated(): boolean {
    return !this.hasFrame || !(this.isOver || this.isBetweenFrames)
  }

  private get isBetweenFrames(): boolean {
    return this.field === "magic" && this.valueBytes === 0 && this.bytesToSkip === 0
  }

  /** Splits a chunk at frame ends. Bytes after the last frame are dropped. */
  split(chunk: Uint8Array): ReadonlyArray<Uint8Array> {
    const parts: Array<Uint8Array> = []
    let start = 0
    for (let at = 0; at < chunk.length && !this.isOver; ) {
      at = this.advance(chunk, at)
      if (this.isOver || (at < chunk.length && !this.isBetweenFrames)) continue
      parts.push(chunk.subarray(start, at))
      start = at
    }
    // The decoder rejects input that does not start with a frame.
    return this.isOver && !this.hasFrame ? [chunk] : parts
  }

  /** Advances by one field, or by the bytes to skip. */
  private advance(chunk: Uint8Array, from: number): number {
    if (this.bytesToSkip > 0) {
      const step = Math.min(this.bytesToSkip, chunk.length - from)
      this.bytesToSkip -= step
      return from + step
    }
    let at = from
    const length = fieldBytes[this.field]
    while (at < chunk.length && this.valueBytes < length && !this.isOver) {
      const byte = chunk[at++] ?? 0
      if (this.field === "magic") this.match(byte)
      this.value += byte * 2 ** (8 * this.valueBytes++)
    }
    if (this.valueBytes === length && !this.isOver) {
      const { field, value } = this
      this.value = 0
      this.valueBytes = 0
      this.read(field, value)
    }
    return at
  }

  private match(byte: number): void {
    const first = this.valueBytes === 0 ? byte : this.value % 256
    const isMagic = first === magic[0]
    const free = !isMagic && this.valueBytes === 0 ? 0x0f : 0
    this.isOver = (byte & ~free) !== (isMagic ? magic : skippable)[this.valueBytes]
  }

  private read(field: Field, value: number): void {
    switch (field) {
      case "magic":
        this.hasFrame = true
        this.field = value % 256 === magic[0] ? "descriptor" : "skippable size"
        return
      case "skippable size":
        return this.skip(value, "magic")
      case "descriptor": {
        const isSingle = (value & 0x20) !== 0
        const contentSize = value >> 6
        this.hasChecksum = (value & 0x04) !== 0
        const size = contentSize === 0 && isSingle ? 1 : (contentSizeBytes[contentSize] ?? 0)
        return this.skip((isSingle ? 0 : 1) + (dictionaryBytes[value & 3] ?? 0) + size, "block")
      }
      case "block": {
        const isRun = ((value >> 1) & 3) === 1
        const bytes = isRun ? 1 : value >> 3
        const isLast = (value & 1) !== 0
        return this.skip(bytes + (isLast && this.hasChecksum ? 4 : 0), isLast ? "magic" : "block")
      }
    }
  }

  private skip(bytes: number, then: Field): void {
    this.bytesToSkip = bytes
    this.field = then
  }
}
