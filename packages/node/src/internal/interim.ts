/**
 * undici destroys a connection on which a 100 comes that nobody asked for. Any interim response may come unasked, and is to be
 * skipped (RFC 9110, 15.2): undici does so with a 102, so a 100 is read as one.
 */

const one = 0x31
const zero = 0x30
const two = 0x32
const lineFeed = 0x0a
const carriageReturn = 0x0d

/** Where the status stands behind `HTTP/1.1 `, and where the line goes on. */
const firstDigit = 9
const lastDigit = 11

/** Follows the heads of one response, in bytes split anywhere, up to its final one. */
export class InterimHeads {
  private state: "none" | "status" | "interim" = "none"
  private at = 0
  private isHundred = false
  private isLineEmpty = false

  /** A request goes out: what comes next is a head. */
  expect(): void {
    this.state = "status"
    this.at = 0
  }

  /** Looks at bytes before the parser does, and changes a 100 among them. */
  pass(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length && this.state !== "none"; index++) {
      const byte = bytes[index] as number
      if (this.state === "status") {
        if (this.status(byte)) bytes[index] = two
      } else this.interim(byte)
    }
  }

  /** Whether the byte is the last digit of a 100. */
  private status(byte: number): boolean {
    const at = this.at++
    if (at < firstDigit) return false
    if (at === firstDigit) {
      if (byte === one) this.isHundred = true
      else this.state = "none"
      return false
    }
    if (at < lastDigit) {
      this.isHundred &&= byte === zero
      return false
    }
    this.state = "interim"
    this.isLineEmpty = false
    return this.isHundred && byte === zero
  }

  private interim(byte: number): void {
    if (byte === lineFeed) {
      if (this.isLineEmpty) this.expect()
      this.isLineEmpty = true
    } else if (byte !== carriageReturn) this.isLineEmpty = false
  }
}
