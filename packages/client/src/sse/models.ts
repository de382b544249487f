/** An event, and how bytes are read to events. */

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
