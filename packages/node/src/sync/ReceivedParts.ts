/** The body of a request whose parts come from another thread: an iterable for the connection. */
import { codedError } from "../shared/errors.js"
import { reportBytes } from "./protocol.js"

export class ReceivedParts implements AsyncIterable<Uint8Array> {
  private readonly parts: Array<Uint8Array> = []
  private isComplete = false
  private problem: Error | undefined
  private wake: (() => void) | undefined
  private taken = 0
  private readonly onTaken: (bytes: number) => void

  constructor(onTaken: (bytes: number) => void) {
    this.onTaken = onTaken
  }

  add(bytes: Uint8Array): void {
    this.parts.push(bytes)
    this.wakeReader()
  }

  end(): void {
    this.isComplete = true
    this.wakeReader()
  }

  /** The other thread knows why. */
  fail(): void {
    this.problem = codedError("the source of the body failed", "ERR_BODY_SOURCE")
    this.wakeReader()
  }

  private wakeReader(): void {
    const { wake } = this
    this.wake = undefined
    wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      const part = this.parts.shift()
      if (part !== undefined) {
        yield part
        this.taken += part.length
        if (this.taken >= reportBytes || this.parts.length === 0) {
          this.onTaken(this.taken)
          this.taken = 0
        }
      } else if (this.problem !== undefined) throw this.problem
      else if (this.isComplete) return
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve
        })
    }
  }
}
