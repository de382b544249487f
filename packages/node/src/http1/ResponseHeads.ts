/**
 * Repairs response heads before undici's parser sees them, because it rejects two valid forms:
 *
 * - A client must skip unexpected interim responses (RFC 9110, 15.2). undici destroys the connection for a 100, and
 *   for what follows one of HTTP/1.0 or with `connection: close`. All are removed, except an unrequested 101.
 * - A folded header line must be read as one line with a space in between (RFC 9112, 5.2).
 */

const carriageReturn = 0x0d
const lineFeed = 0x0a
const space = 0x20
const tab = 0x09
const one = 0x31

const version = "HTTP/1."
/** Offset of the status code. */
const statusAt = 9

/** A head ends with two line ends. */
const headEndBytes = 4

/** The parser rejects names and values above 16 KiB. */
const maxHeadBytes = 32 * 1024

export class ResponseHeads {
  private isExpected = false
  /** The start of a head that is still incomplete. */
  private partialHead: Buffer | undefined
  private isFolded = false

  /** Called when a request is sent: the next bytes are a head. */
  expectHead(): void {
    this.isExpected = true
    this.partialHead = undefined
    this.isFolded = false
  }

  /** The bytes for the parser; `null` if it must wait for more. */
  filter(chunk: Buffer): Buffer | null {
    if (!this.isExpected) return chunk
    // The partial head was scanned already, except for a line end across the chunks.
    let known = this.partialHead?.length ?? 0
    let bytes = this.partialHead === undefined ? chunk : Buffer.concat([this.partialHead, chunk])
    this.partialHead = undefined
    for (;;) {
      bytes = skipEmptyLines(bytes)
      const end = this.endOf(bytes, Math.max(0, known - headEndBytes))
      if (end < 0) return this.keepPartial(bytes, known)
      if (!isInterim(bytes)) {
        this.isExpected = false
        return this.isFolded ? unfold(bytes, end) : bytes
      }
      bytes = bytes.subarray(end + headEndBytes)
      known = 0
      this.isFolded = false
    }
  }

  /** Offset of the end of the head, or -1. It also notes folded lines on the way. */
  private endOf(bytes: Buffer, from: number): number {
    for (let at = bytes.indexOf(lineFeed, from); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) {
      const next = bytes[at + 1]
      if (next === carriageReturn && bytes[at + 2] === lineFeed) return at - 1
      if (next === space || next === tab) this.isFolded = true
    }
    return -1
  }

  private keepPartial(bytes: Buffer, known: number): Buffer | null {
    if (bytes.length > maxHeadBytes || !couldBeHead(bytes, known)) {
      this.isExpected = false
      return bytes
    }
    if (bytes.length > 0) this.partialHead = bytes
    return null
  }
}

/** Empty lines before a head are ignored (RFC 9112, 2.2). */
const skipEmptyLines = (bytes: Buffer): Buffer => {
  let from = 0
  while (bytes[from] === carriageReturn || bytes[from] === lineFeed) from++
  return from === 0 ? bytes : bytes.subarray(from)
}

/** If not, the parser sees the bytes immediately and rejects them. */
const couldBeHead = (bytes: Buffer, known: number): boolean => {
  for (let at = known; at < bytes.length; at++) {
    if (at < version.length && bytes[at] !== version.charCodeAt(at)) return false
    if (bytes[at] === lineFeed && bytes[at - 1] !== carriageReturn) return false
  }
  return true
}

const isInterim = (bytes: Buffer): boolean => {
  if (bytes[statusAt] !== one) return false
  const status = bytes.toString("latin1", statusAt, statusAt + 4)
  return /^1\d\d\s$/.test(status) && !status.startsWith("101")
}

/**
 * Surrounding blanks are part of the fold. A folded line after the status line has nothing to continue; the parser
 * rejects it.
 */
const unfold = (bytes: Buffer, end: number): Buffer => {
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n")
  const unfolded: Array<string> = []
  for (const line of lines) {
    const last = unfolded.length - 1
    if (last >= 0 && isBlank(line, 0))
      unfolded[last] = `${trimBlanks(unfolded[last] ?? "")} ${trimBlanks(line)}`
    else unfolded.push(line)
  }
  const head = Buffer.from([statusLine, ...unfolded].join("\r\n"), "latin1")
  return Buffer.concat([head, bytes.subarray(end)])
}

const isBlank = (text: string, at: number): boolean => text[at] === " " || text[at] === "\t"

/** Not a regular expression: `[ \t]+$` is quadratic. */
const trimBlanks = (line: string): string => {
  let start = 0
  let end = line.length
  while (start < end && isBlank(line, start)) start++
  while (end > start && isBlank(line, end - 1)) end--
  return line.slice(start, end)
}
