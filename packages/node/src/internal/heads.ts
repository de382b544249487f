/**
 * Puts right in the heads of responses what undici's parser refuses, before it sees them:
 *
 * - A 100 that nobody asked for is to be skipped, as any interim response is (RFC 9110, 15.2). undici destroys the connection for
 *   it, and skips a 102: so a 100 is read as one.
 * - A line that goes on in the next is to be read as one line with a space in between (RFC 9112, 5.2).
 */

const carriageReturn = 0x0d
const lineFeed = 0x0a
const space = 0x20
const tab = 0x09
const zero = 0x30
const one = 0x31
const two = 0x32

/** Behind `HTTP/1.1 `. */
const statusAt = 9

const headEnd = "\r\n\r\n"

/** The parser refuses names and values of more than 16 KiB. */
const maxHead = 32 * 1024

export class Heads {
  private isExpected = false
  /** A head that has not come whole yet. */
  private held: Buffer | undefined

  /** A request goes out: what comes next is a head. */
  expect(): void {
    this.isExpected = true
  }

  /** The same bytes as the parser is to see them, `null` where it is to wait for more. */
  pass(chunk: Buffer): Buffer | null {
    if (!this.isExpected) return chunk
    let bytes = this.held === undefined ? chunk : Buffer.concat([this.held, chunk])
    // What was held has been looked at, but for an end that is split.
    let known = bytes.length - chunk.length
    this.held = undefined
    for (let from = 0; ; ) {
      // Empty lines in front of a head are skipped (RFC 9112, 2.2).
      while (bytes[from] === carriageReturn || bytes[from] === lineFeed) from++
      const end = bytes.indexOf(headEnd, Math.max(from, known - headEnd.length))
      if (end < 0) return this.hold(bytes, from, known)
      if (isFolded(bytes, from, end)) {
        const rest = bytes.length - end
        bytes = unfolded(bytes, from, end)
        known = 0
        if (!isInterim(bytes, from)) return this.last(bytes)
        from = bytes.length - rest + headEnd.length
        continue
      }
      if (!isInterim(bytes, from)) return this.last(bytes)
      from = end + headEnd.length
    }
  }

  private last(bytes: Buffer): Buffer {
    this.isExpected = false
    return bytes
  }

  private hold(bytes: Buffer, from: number, known: number): Buffer | null {
    if (bytes.length - from > maxHead || !isHeadSoFar(bytes, from, known)) return this.last(bytes)
    if (from < bytes.length) this.held = bytes.subarray(from)
    return from === 0 ? null : bytes.subarray(0, from)
  }
}

/** What is none is the parser's to refuse, at once. */
const isHeadSoFar = (bytes: Buffer, from: number, known: number): boolean => {
  for (let at = Math.max(from, known); at < bytes.length; at++) {
    if (at - from < version.length && bytes[at] !== version.charCodeAt(at - from)) return false
    if (bytes[at] === lineFeed && bytes[at - 1] !== carriageReturn) return false
  }
  return true
}

const version = "HTTP/1."

/** Whether another head follows. A 100 is made a 102. */
const isInterim = (bytes: Buffer, from: number): boolean => {
  const at = from + statusAt
  if (bytes[at] !== one) return false
  if (bytes[at + 1] === zero && bytes[at + 2] === zero) bytes[at + 2] = two
  return true
}

const isFolded = (bytes: Buffer, from: number, end: number): boolean => {
  for (let at = from; at < end; at++) {
    if (bytes[at] === lineFeed && (bytes[at + 1] === space || bytes[at + 1] === tab)) return true
  }
  return false
}

/** The blanks around it are a part of the fold. One behind the status line continues nothing: the parser refuses it. */
const unfolded = (bytes: Buffer, from: number, end: number): Buffer => {
  const [statusLine = "", ...lines] = bytes.toString("latin1", from, end).split("\r\n")
  const unfolded = lines.reduce<Array<string>>((known, line) => {
    const last = known.length - 1
    if (last >= 0 && /^[ \t]/.test(line)) known[last] = `${trimmed(known[last] ?? "")} ${trimmed(line)}`
    else known.push(line)
    return known
  }, [])
  const head = Buffer.from([statusLine, ...unfolded].join("\r\n"), "latin1")
  return Buffer.concat([bytes.subarray(0, from), head, bytes.subarray(end)])
}

const isBlank = (text: string, at: number): boolean => text[at] === " " || text[at] === "\t"

/** No regular expression: `[ \t]+$` is quadratic. */
const trimmed = (line: string): string => {
  let start = 0
  let end = line.length
  while (start < end && isBlank(line, start)) start++
  while (end > start && isBlank(line, end - 1)) end--
  return line.slice(start, end)
}
