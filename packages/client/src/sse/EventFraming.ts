/** The standard's algorithm: lines to events, and the state that a block and a body leave behind. */
import { freshArray } from "../shared/lists.js"
import { COLON, CR, find, isData, isEvent, isId, LF, valueOf } from "./fields.js"
import { LineReader } from "./lines.js"
import type { DecoderOptions, ServerSentEvent } from "./models.js"

const DEFAULT_MAX_EVENT_BYTES = 16 * 1024 * 1024
const RETRY = /^retry: ?([0-9]+)$/
const MAX_RETRY = Number.MAX_SAFE_INTEGER

/**
 * Turns the chunks of a body into events: all of a chunk at once (`feed`), or in steps, so that no more of it becomes events than
 * somebody takes (`write` and `next`).
 */
export class EventFraming<F> {
  /** Set once an event exceeds the cap. Events before it are still returned, none after it. */
  failure: F | undefined = undefined
  lastEventId: string | undefined
  retry: number | undefined = undefined

  private readonly limit: number
  private readonly failureOf: (limitBytes: number) => F
  private readonly surelyFits: number
  private readonly unterminated: "drop" | "emit"
  private readonly reader: LineReader
  private events: Array<ServerSentEvent> = freshArray()
  // The current block. `lines` exists from the second data line on.
  private type = ""
  private data: string | undefined = undefined
  private lines: Array<string> | undefined = undefined
  private dataBytes = 0
  private id: string | undefined
  private blockRetry: number | undefined = undefined

  /** `lastEventId` is the id that holds until the body sets one: that of the connection before. */
  constructor(
    options: DecoderOptions | undefined,
    failureOf: (limitBytes: number) => F,
    lastEventId?: string
  ) {
    this.lastEventId = this.id = lastEventId
    this.failureOf = failureOf
    this.limit = options?.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES
    // One unit of a string takes at most three bytes: below a third of the cap no counting is needed.
    this.surelyFits = Math.floor(this.limit / 3)
    this.unterminated = options?.unterminated ?? "drop"
    this.reader = new LineReader(true)
  }

  feed = (bytes: Uint8Array): ReadonlyArray<ServerSentEvent> => {
    this.write(bytes)
    while (this.advance());
    return this.take()
  }

  end = (): ReadonlyArray<ServerSentEvent> => {
    if (this.unterminated === "emit") {
      this.reader.finish()
      while (this.advance());
      if (this.data !== undefined) this.dispatch()
    }
    this.reader.reset()
    this.reset()
    this.id = this.lastEventId
    return this.take()
  }

  /** Takes the next chunk, once the one before is read. It must not change until `next` returns nothing. */
  write(bytes: Uint8Array): void {
    if (this.failure === undefined) this.reader.write(bytes)
  }

  /** The events that some more lines complete, perhaps none; `undefined` once the chunk is read. */
  next(): ReadonlyArray<ServerSentEvent> | undefined {
    return this.advance() ? this.take() : undefined
  }

  /** Reads a block of lines. Returns `false` once the chunk is read, or an event is too large. */
  private advance(): boolean {
    const text = this.failure === undefined ? this.reader.next() : undefined
    if (text !== undefined) {
      this.read(text)
      return true
    }
    if (this.dataBytes + this.reader.pendingBytes > this.limit) this.fail()
    if (this.failure !== undefined) this.reader.reset()
    return false
  }

  private take(): ReadonlyArray<ServerSentEvent> {
    const events = this.events
    this.events = freshArray()
    return events
  }

  private fail(): void {
    this.failure ??= this.failureOf(this.limit)
    this.reset()
  }

  /** Reads whole lines. The search for each kind of line end passes over the text once, whatever their mix. */
  private read(text: string): void {
    let lf = -1
    let cr = find(text, "\r", 0)
    for (let at = 0; at < text.length && this.failure === undefined; ) {
      const first = text.charCodeAt(at)
      if (first === LF || first === CR) {
        this.dispatch()
        at += first === CR && text.charCodeAt(at + 1) === LF ? 2 : 1
        continue
      }
      lf = lf < at ? find(text, "\n", at) : lf
      cr = cr < at ? find(text, "\r", at) : cr
      const end = Math.min(cr, lf)
      const next = lf === cr + 1 ? lf + 1 : end + 1
      const units = end - at
      if (this.dataBytes + units > this.surelyFits) {
        if (this.dataBytes + this.reader.sizeOf(text, at, end) > this.limit) return this.fail()
      }
      if (isData(text, at)) {
        const value = valueOf(text, at + 5, end)
        if (this.data === undefined && text.charCodeAt(next) === LF) {
          // The common form, one data line and a blank line after it, needs no counting.
          this.data = value
          this.dispatch()
          at = next + 1
          continue
        }
        this.addData(value, this.reader.sizeOf(text, at, end))
      } else if (isEvent(text, at)) {
        this.type = valueOf(text, at + 6, end)
      } else if (isId(text, at)) {
        const value = valueOf(text, at + 3, end)
        this.id = value.includes("\0") ? this.id : value
      } else if (first !== COLON) {
        this.readRare(text.slice(at, end))
      }
      at = next
    }
  }

  /** A field without a colon, which has an empty value, or `retry`. All other lines are ignored. */
  private readRare(line: string): void {
    if (line === "data") this.addData("", line.length)
    else if (line === "event") this.type = ""
    else if (line === "id") this.id = ""
    else {
      const digits = RETRY.exec(line)?.[1]
      if (digits !== undefined) this.blockRetry = this.retry = Math.min(Number(digits), MAX_RETRY)
    }
  }

  private addData(value: string, bytes: number): void {
    this.dataBytes += bytes
    if (this.data === undefined) this.data = value
    else if (this.lines === undefined) this.lines = [this.data, value]
    else this.lines.push(value)
  }

  private dispatch(): void {
    const id = (this.lastEventId = this.id)
    if (this.data !== undefined) {
      // Built field by field, for the reason given at `freshArray`: so the compiler cannot see that it is complete.
      const event = {} as { -readonly [K in keyof ServerSentEvent]: ServerSentEvent[K] }
      event.event = this.type === "" ? "message" : this.type
      event.data = this.lines === undefined ? this.data : this.lines.join("\n")
      if (id !== undefined) event.id = id
      if (this.blockRetry !== undefined) event.retry = this.blockRetry
      this.events.push(event)
    }
    this.reset()
  }

  private reset(): void {
    this.type = ""
    this.data = undefined
    this.lines = undefined
    this.dataBytes = 0
    this.blockRetry = undefined
  }
}
