import type * as Message from "./Message.js"
import type * as MessageEvent from "./MessageEvent.js"

/**
 * An event, and the message up to and including it. A snapshot never changes later.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  readonly event: MessageEvent.MessageEvent
  /** The message up to and including the event. */
  readonly message: Message.Message
}

/**
 * A delta of a tool's input: the JSON that arrived, and the input so far. In `input`, strings grow; any other value appears
 * once it is complete.
 *
 * @since 0.1.0
 * @category models
 */
export interface InputDelta {
  /** The index of the content block. */
  readonly index: number
  /** The id of the tool call. */
  readonly id: string
  /** The name of the tool. */
  readonly name: string
  /** The JSON text that arrived. */
  readonly partial_json: string
  /** The input so far. */
  readonly input: unknown
}

/**
 * A delta of a structured output: the text that arrived, and the output so far. In `output`, strings grow; any other value appears
 * once it is complete.
 *
 * @since 3.2.0
 * @category models
 */
export interface OutputDelta {
  /** The index of the content block. */
  readonly index: number
  /** The JSON text that arrived. */
  readonly text: string
  /** The output so far, which no schema has checked yet. */
  readonly output: unknown
}
