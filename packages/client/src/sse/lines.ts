/**
 * Splits bytes into lines, for server-sent events and for JSON lines.
 *
 * Everything rests on one fact: in UTF-8 the bytes of CR and LF never occur inside a longer character. So bytes are
 * cut after a line end before they are decoded, and the bytes after the last line end wait undecoded. No character,
 * byte order mark or invalid sequence is ever decoded in two halves, and the result does not depend on how the
 * network split the body.
 */
import { freshArray } from "../shared/lists.js"

const LF = 10
const CR = 13
const BOM = 0xfeff
const BOM_BYTES: ReadonlyArray<number> = [0xef, 0xbb, 0xbf]

/**
 * How much is decoded at a time, in whole lines. One non-ASCII character makes decoding and reading its block ten
 * times slower, and a slice of a block retains all of it.
 */
const BLOCK_BYTES = 1024

/** A larger buffer is released once its line has been read. */
const KEPT_BYTES = 1024 * 1024

const NO_BYTES: Uint8Array = /* @__PURE__ */ new Uint8Array(0)
const LINE_END: Uint8Array = /* @__PURE__ */ new Uint8Array([LF])

// Node decodes ASCII eight times faster in a call without `stream`, and other text up to twice as fast in a call with
// it. A block is whole lines, so the second decoder holds nothing between calls and can be shared.
const asciiDecoder: TextDecoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true })
const wideDecoder: TextDecoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true })

/**
 * How many bytes a part of a decoded text takes in UTF-8. An invalid byte was decoded to U+FFFD and counts three, so
 * this is never less than the bytes received.
 */
export const utf8Length = (text: string, from: number, to: number): number => {
  let length = to - from
  for (let index = from; index < to; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0x80) {
      // Decoded text has surrogates in pairs only: two units, four bytes.
      length += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
    }
  }
  return length
}

/**
 * Takes a body in chunks and gives its text in blocks of whole lines, as early as possible. A chunk is written, and then read
 * block by block, so that no more of it is text than somebody reads.
 */
export class LineReader {
  private readonly carriageReturns: boolean
  private held = NO_BYTES
  private heldLength = 0
  private atStart = true
  private afterCarriageReturn = false
  /** The whole lines to read: those of the chunk, or before them the line in `held` that the chunk ends. */
  private input = NO_BYTES
  private at = 0
  private to = 0
  /** The chunk, the index of its lines that are read without a copy, and that of its incomplete rest. */
  private chunk: Uint8Array | undefined = undefined
  private start = 0
  private rest = 0
  /** Roughly how many of the last blocks were not ASCII. */
  private wide = 0
  private blockLength = 0
  private countable: boolean | undefined = undefined

  /** With `carriageReturns` a CR alone ends a line too. */
  constructor(carriageReturns: boolean) {
    this.carriageReturns = carriageReturns
  }

  /** The bytes after the last line end, once a chunk is read. A possible byte order mark is not counted. */
  get pendingBytes(): number {
    const length = this.heldLength
    if (this.atStart && this.held[0] === BOM_BYTES[0]) {
      const marked = BOM_BYTES.every((byte, index) => index >= length || this.held[index] === byte)
      return marked ? Math.max(0, length - 3) : length
    }
    return length
  }

  /** How many bytes a part of the block that was read last takes in UTF-8. */
  sizeOf(text: string, from: number, to: number): number {
    // In ASCII a unit is a byte. An invalid byte is one unit too, but counts as the three bytes of U+FFFD.
    this.countable ??= text.length === this.blockLength && !text.includes("\ufffd")
    return this.countable ? to - from : utf8Length(text, from, to)
  }

  /** Takes the next chunk, once the one before is read. It must not change until `next` returns nothing. */
  write(bytes: Uint8Array): void {
    const length = bytes.length
    if (length === 0) return
    // A CR at the end of a chunk has ended its line; an LF that follows is not another line end.
    const from = this.afterCarriageReturn && bytes[0] === LF ? 1 : 0
    this.afterCarriageReturn = this.carriageReturns && bytes[length - 1] === CR
    // One or more complete events are by far the most common chunk.
    const last = bytes[length - 1] === LF ? length : this.lastLineEnd(bytes, from, length)
    const end = Math.max(last, from)
    this.chunk = bytes
    this.rest = end
    if (end === from || this.heldLength === 0) {
      this.input = bytes
      this.at = from
      this.to = end
      return
    }
    const lineEnd = bytes.indexOf(LF, from) + 1
    this.start = lineEnd > from && lineEnd < end ? lineEnd : end
    this.hold(bytes, from, this.start)
    this.input = this.held
    this.at = 0
    this.to = this.heldLength
    this.heldLength = 0
  }

  /** The next lines of the chunk, the last one terminated too; `undefined` once it is read. Its incomplete rest is copied. */
  next(): string | undefined {
    if (this.at < this.to) return this.block()
    const { chunk } = this
    if (chunk === undefined) return undefined
    if (this.input !== chunk) {
      if (this.held.length > KEPT_BYTES) this.held = NO_BYTES
      this.input = chunk
      this.at = this.start
      this.to = this.rest
      if (this.at < this.to) return this.block()
    }
    this.hold(chunk, this.rest, chunk.length)
    this.chunk = undefined
    this.input = NO_BYTES
    return undefined
  }

  /** Ends the incomplete last line of the body, which `next` then returns. */
  finish(): void {
    if (this.heldLength > 0) this.write(LINE_END)
  }

  /** Drops what is not read. Another body may follow. */
  reset(): void {
    this.held = NO_BYTES
    this.heldLength = 0
    this.atStart = true
    this.afterCarriageReturn = false
    this.input = NO_BYTES
    this.at = this.to = 0
    this.chunk = undefined
  }

  /** The index after the last line end in this range, or -1. */
  private lastLineEnd(bytes: Uint8Array, from: number, to: number): number {
    const other = this.carriageReturns ? CR : LF
    // The line end is usually near. Otherwise the native search is three times faster per byte than this loop.
    const near = Math.max(from, to - 32)
    for (let index = to - 1; index >= near; index--) {
      const byte = bytes[index]
      if (byte === LF || byte === other) {
        return index + 1
      }
    }
    if (near === from) {
      return -1
    }
    // Views, because a search must not run below `from`: it would search the body again for each of its blocks.
    const behind = from + bytes.subarray(from, near).lastIndexOf(LF) + 1
    const end = this.carriageReturns ? behind + bytes.subarray(behind, near).lastIndexOf(CR) + 1 : behind
    return end > from ? end : -1
  }

  private block(): string {
    const { at: start, input, to } = this
    let end = -1
    let searched = start
    let reach = start + BLOCK_BYTES
    while (reach < to && end < 0) {
      end = this.lastLineEnd(input, searched, reach)
      // A longer line: search twice as far, and no byte twice.
      searched = reach
      reach += reach - start
    }
    if (end < 0) end = to
    else if (input[end - 1] === CR && input[end] === LF) end++
    this.at = end
    return this.decode(start === 0 && end === input.length ? input : input.subarray(start, end))
  }

  private decode(block: Uint8Array): string {
    // Guess the kind of this block from the last ones.
    const text = this.wide < 2 ? asciiDecoder.decode(block) : wideDecoder.decode(block, { stream: true })
    this.wide = text.length === block.length ? Math.max(this.wide - 1, 0) : Math.min(this.wide + 1, 3)
    this.blockLength = block.length
    this.countable = undefined
    if (!this.atStart) return text
    this.atStart = false
    if (text.charCodeAt(0) !== BOM) return text
    this.blockLength -= BOM_BYTES.length
    return text.slice(1)
  }

  private hold(bytes: Uint8Array, from: number, to: number): void {
    const added = to - from
    if (added <= 0) {
      return
    }
    const length = this.heldLength + added
    if (length > this.held.length) {
      const grown = new Uint8Array(Math.max(length, this.held.length * 2, 512))
      grown.set(this.held.subarray(0, this.heldLength))
      this.held = grown
    }
    if (added > 64) {
      this.held.set(bytes.subarray(from, to), this.heldLength)
    } else {
      // Copying so few bytes takes less time than making the view for `set`.
      for (let index = from, at = this.heldLength; index < to; index++, at++) {
        this.held[at] = bytes[index] ?? 0
      }
    }
    this.heldLength = length
  }
}

/** Newline-delimited text, taken in chunks. */
export interface LineDecoder {
  /** Set once a line exceeds the cap; `next` and `end` return nothing from then on. */
  readonly exceeded: boolean
  /** Takes the next chunk, once the one before is read. It must not change until `next` returns nothing. */
  readonly write: (bytes: Uint8Array) => void
  /** Some more lines of the chunk; `undefined` once it is read. */
  readonly next: () => ReadonlyArray<string> | undefined
  /** The last line, if no line end followed it. Another body may follow. */
  readonly end: () => ReadonlyArray<string>
}

const ONLY_SPACE = /^[ \t\r]*$/

/**
 * Splits newline-delimited text, such as JSON lines: LF or CRLF; skips blank lines; drops a leading byte order mark.
 * A line of more than `maxLineBytes` (default 16 MiB, counted as UTF-8 up to its LF) ends it.
 */
export const makeLineDecoder = (options?: { readonly maxLineBytes?: number }): LineDecoder => {
  const limit = options?.maxLineBytes ?? 16 * 1024 * 1024
  const surelyFits = Math.floor(limit / 3)
  let exceeded = false
  let lines: Array<string> = freshArray()
  const reader = new LineReader(false)

  const read = (text: string): void => {
    for (let at = 0; at < text.length && !exceeded; ) {
      const lineEnd = text.indexOf("\n", at)
      const end = lineEnd > at && text.charCodeAt(lineEnd - 1) === CR ? lineEnd - 1 : lineEnd
      const size = lineEnd - at
      if (size > surelyFits && reader.sizeOf(text, at, lineEnd) > limit) {
        exceeded = true
      } else if (text.charCodeAt(at) > 32 || !ONLY_SPACE.test(text.slice(at, end))) {
        lines.push(text.slice(at, end))
      }
      at = lineEnd + 1
    }
  }

  const take = (): ReadonlyArray<string> => {
    const taken = lines
    lines = freshArray()
    return taken
  }

  const next = (): ReadonlyArray<string> | undefined => {
    const text = exceeded ? undefined : reader.next()
    if (text !== undefined) {
      read(text)
      return take()
    }
    exceeded ||= reader.pendingBytes > limit
    if (exceeded) reader.reset()
    return undefined
  }

  return {
    get exceeded() {
      return exceeded
    },
    write: (bytes) => {
      if (!exceeded) reader.write(bytes)
    },
    next,
    end: () => {
      reader.finish()
      const last = next() ?? []
      reader.reset()
      return last
    }
  }
}
