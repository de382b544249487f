/**
 * Server-sent events: bytes to events, by the WHATWG HTML standard, section 9.2.6 "Interpreting an event stream".
 * {@link makeDecoder} returns a plain object that needs no runtime; {@link decode} applies it to a `Stream`.
 *
 * Time is linear in the bytes, however they are split; the cap on one event bounds the memory.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Stream from "effect/Stream"
import { decoded } from "../effect/streams.js"
import { freshArray } from "../shared/lists.js"
import { COLON, CR, find, isData, isEvent, isId, LF, valueOf } from "./fields.js"
import { LineReader } from "./lines.js"

/**
 * One event of a `text/event-stream` body.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerSentEvent {
  /** The event's name; `message` if the server set none. */
  readonly event: string
  /** The data lines, joined with LF. */
  readonly data: string
  /** The last event id that the server set, in this event or before; absent while it has set none. */
  readonly id?: string
  /** The reconnection time in milliseconds, if this event set it. */
  readonly retry?: number
}

/**
 * Options of a decoder.
 *
 * @since 0.1.0
 * @category models
 */
export interface DecoderOptions {
  /**
   * The most bytes to hold for one event: its data lines so far and the current line, as UTF-8, without line ends.
   * Lines of unknown fields count too. Default: 16 MiB.
   */
  readonly maxEventBytes?: number | undefined
  /**
   * How to treat an event at the end of the body without a blank line after it: `drop` it (the standard's rule, and
   * the default) or `emit` it, whether or not its last line is complete.
   */
  readonly unterminated?: "drop" | "emit" | undefined
}

/**
 * Turns the chunks of a body into events. It keeps incomplete input between calls, so it serves one body at a time.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decoder {
  /** The events that these bytes complete. The bytes are not retained: the caller may reuse their buffer. */
  readonly feed: (bytes: Uint8Array) => ReadonlyArray<ServerSentEvent>
  /**
   * Ends the body; returns the unterminated event, if there is one and `emit` was chosen. Another body may follow:
   * `lastEventId` and `retry` persist, as they do when a browser reconnects.
   */
  readonly end: () => ReadonlyArray<ServerSentEvent>
  /** Set once an event exceeds the cap. Events before it are still returned, none after it. */
  readonly failure: EventTooLargeError | undefined
  /**
   * The value for `last-event-id` on a reconnect. An id takes effect at the blank line that ends its block, even
   * without data in the block; `""` means that the server has reset it.
   */
  readonly lastEventId: string | undefined
  /** The last reconnection time that the server set, in milliseconds, with or without an event. */
  readonly retry: number | undefined
}

/**
 * An event is larger than `maxEventBytes`.
 *
 * @since 0.1.0
 * @category errors
 */
export class EventTooLargeError extends /*#__PURE__*/ Data.TaggedError("EventTooLargeError")<{
  readonly limitBytes: number
}> {
  override get message(): string {
    return `A server-sent event is larger than ${this.limitBytes} bytes`
  }
}

const DEFAULT_MAX_EVENT_BYTES = 16 * 1024 * 1024
const RETRY = /^retry: ?([0-9]+)$/
const MAX_RETRY = Number.MAX_SAFE_INTEGER

class EventDecoder implements Decoder {
  failure: EventTooLargeError | undefined = undefined
  lastEventId: string | undefined = undefined
  retry: number | undefined = undefined

  private readonly limit: number
  private readonly surelyFits: number
  private readonly unterminated: "drop" | "emit"
  private readonly reader: LineReader
  private events: Array<ServerSentEvent> = freshArray()
  // The current block. `lines` exists from the second data line on.
  private type = ""
  private data: string | undefined = undefined
  private lines: Array<string> | undefined = undefined
  private dataBytes = 0
  private id: string | undefined = undefined
  private blockRetry: number | undefined = undefined

  constructor(options: DecoderOptions | undefined) {
    this.limit = options?.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES
    // One unit of a string takes at most three bytes: below a third of the cap no counting is needed.
    this.surelyFits = Math.floor(this.limit / 3)
    this.unterminated = options?.unterminated ?? "drop"
    this.reader = new LineReader(true, (text) => this.read(text))
  }

  feed = (bytes: Uint8Array): ReadonlyArray<ServerSentEvent> => {
    if (this.failure === undefined) {
      this.reader.feed(bytes)
      if (this.dataBytes + this.reader.pendingBytes > this.limit) this.fail()
    }
    return this.take()
  }

  end = (): ReadonlyArray<ServerSentEvent> => {
    this.reader.end(this.unterminated)
    if (this.unterminated === "emit" && this.data !== undefined) this.dispatch()
    this.reset()
    this.id = this.lastEventId
    return this.take()
  }

  private take(): ReadonlyArray<ServerSentEvent> {
    if (this.failure !== undefined) this.reader.end("drop")
    const events = this.events
    this.events = freshArray()
    return events
  }

  private fail(): void {
    this.failure ??= new EventTooLargeError({ limitBytes: this.limit })
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

/**
 * Makes a decoder for one body. It never throws: `failure` reports an event above the cap.
 *
 * @example
 * ```ts
 * import { ServerSentEvents } from "@effect-api/client"
 *
 * const decoder = ServerSentEvents.makeDecoder()
 * const encoder = new TextEncoder()
 *
 * decoder.feed(encoder.encode("event: greeting\ndata: hel")) // []
 * decoder.feed(encoder.encode("lo\n\n")) // [{ event: "greeting", data: "hello" }]
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeDecoder = (options?: DecoderOptions): Decoder => new EventDecoder(options)

/**
 * Decodes the stream of a body's bytes. The events of one chunk are emitted together, as one chunk. An event above
 * the cap fails with an {@link EventTooLargeError} after the events before it. Every run has its own decoder.
 *
 * @example
 * ```ts
 * import { ServerSentEvents } from "@effect-api/client"
 * import { Stream } from "effect"
 *
 * const body = Stream.make("data: 1\n\nda", "ta: 2\n\n").pipe(Stream.encodeText)
 *
 * const numbers = body.pipe(
 *   ServerSentEvents.decode,
 *   Stream.map((event) => Number(event.data))
 * )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const decode = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  options?: DecoderOptions
): Stream.Stream<ServerSentEvent, E | EventTooLargeError, R> => decoded(stream, () => makeDecoder(options))
