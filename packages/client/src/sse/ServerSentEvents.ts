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
import { EventFraming } from "./EventFraming.js"
import type { DecoderOptions, ServerSentEvent } from "./models.js"

export type { DecoderOptions, ServerSentEvent } from "./models.js"

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
export const makeDecoder = (options?: DecoderOptions): Decoder =>
  new EventFraming(options, (limitBytes) => new EventTooLargeError({ limitBytes }))

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
