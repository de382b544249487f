/**
 * The events of a streamed message: https://docs.anthropic.com/en/docs/build-with-claude/streaming
 *
 * @since 0.1.0
 */
import { EventStream } from "@effect-api/client"
import * as Schema from "effect/Schema"
import * as Citation from "../content/Citation.js"
import * as ContentBlock from "../content/ContentBlock.js"
import {
  asSent,
  kind,
  named,
  nullish,
  nullishString,
  open,
  type UnknownKind,
  unknownKind
} from "../shared/schema.js"
import { fillEvent } from "./fillMissing.js"
import * as Message from "./Message.js"

/** The start of the message, without content. @since 0.1.0 @category events */
export const MessageStart = kind("message_start", { message: named<Message.Message>(Message.Message) })

/** The start of the message, without content. @since 0.1.0 @category events */
export interface MessageStart extends Schema.Schema.Type<typeof MessageStart> {}

/** The start of a content block, which is usually empty. @since 0.1.0 @category events */
export const ContentBlockStart = kind("content_block_start", {
  index: Schema.Number,
  content_block: ContentBlock.ContentBlock
})

/** The start of a content block, which is usually empty. @since 0.1.0 @category events */
export interface ContentBlockStart extends Schema.Schema.Type<typeof ContentBlockStart> {}

/** Text that a text block grows by. @since 0.1.0 @category deltas */
export const TextDelta = kind("text_delta", { text: Schema.String })

/** Text that a text block grows by. @since 0.1.0 @category deltas */
export interface TextDelta extends Schema.Schema.Type<typeof TextDelta> {}

/** JSON text that a tool's input grows by. It may end anywhere, even within a token. @since 0.1.0 @category deltas */
export const InputJsonDelta = kind("input_json_delta", { partial_json: Schema.String })

/** JSON text that a tool's input grows by. It may end anywhere, even within a token. @since 0.1.0 @category deltas */
export interface InputJsonDelta extends Schema.Schema.Type<typeof InputJsonDelta> {}

/** A citation of a text block. @since 0.1.0 @category deltas */
export const CitationsDelta = kind("citations_delta", { citation: Citation.Citation })

/** A citation of a text block. @since 0.1.0 @category deltas */
export interface CitationsDelta extends Schema.Schema.Type<typeof CitationsDelta> {}

/** Text that a thinking block grows by. @since 0.1.0 @category deltas */
export const ThinkingDelta = kind("thinking_delta", { thinking: Schema.String })

/** Text that a thinking block grows by. @since 0.1.0 @category deltas */
export interface ThinkingDelta extends Schema.Schema.Type<typeof ThinkingDelta> {}

/** The complete signature of a thinking block. @since 0.1.0 @category deltas */
export const SignatureDelta = kind("signature_delta", { signature: Schema.String })

/** The complete signature of a thinking block. @since 0.1.0 @category deltas */
export interface SignatureDelta extends Schema.Schema.Type<typeof SignatureDelta> {}

const deltas = [TextDelta, InputJsonDelta, CitationsDelta, ThinkingDelta, SignatureDelta] as const

/** A delta of a type that this version does not know. @since 0.1.0 @category deltas */
export const UnknownDelta: Schema.Schema<UnknownDelta> = unknownKind(...deltas)

/** A delta of a type that this version does not know. @since 0.1.0 @category deltas */
export interface UnknownDelta extends UnknownKind {}

/** A change to a content block, discriminated by `type`. @since 0.1.0 @category models */
export const Delta: Schema.Schema<Delta> = Schema.Union(...deltas, UnknownDelta)

/** A change to a content block, discriminated by `type`. @since 0.1.0 @category models */
export type Delta =
  | TextDelta
  | InputJsonDelta
  | CitationsDelta
  | ThinkingDelta
  | SignatureDelta
  | UnknownDelta

/** A delta of the block at `index`. @since 0.1.0 @category events */
export const ContentBlockDelta = kind("content_block_delta", { index: Schema.Number, delta: Delta })

/** A delta of the block at `index`. @since 0.1.0 @category events */
export interface ContentBlockDelta extends Schema.Schema.Type<typeof ContentBlockDelta> {}

/** The block at `index` is complete. @since 0.1.0 @category events */
export const ContentBlockStop = kind("content_block_stop", { index: Schema.Number })

/** The block at `index` is complete. @since 0.1.0 @category events */
export interface ContentBlockStop extends Schema.Schema.Type<typeof ContentBlockStop> {}

/** The reason why the message ended, and its usage. @since 0.1.0 @category events */
export const MessageDelta = kind("message_delta", {
  delta: Schema.Struct({
    stop_reason: nullish(Message.StopReason),
    stop_sequence: nullishString,
    stop_details: nullish(named<Message.StopDetails>(Message.StopDetails)),
    container: nullish(named<Message.Container>(Message.Container))
  }),
  usage: named<Message.UsageSoFar>(Message.UsageSoFar),
  context_management: nullish(Schema.Unknown)
})

/** The reason why the message ended, and its usage. @since 0.1.0 @category events */
export interface MessageDelta extends Schema.Schema.Type<typeof MessageDelta> {}

/** The message is complete. @since 0.1.0 @category events */
export const MessageStop = kind("message_stop", {})

/** The message is complete. @since 0.1.0 @category events */
export interface MessageStop extends Schema.Schema.Type<typeof MessageStop> {}

const events = [
  MessageStart,
  ContentBlockStart,
  ContentBlockDelta,
  ContentBlockStop,
  MessageDelta,
  MessageStop
] as const

/** An event of a type that this version does not know. @since 0.1.0 @category events */
export const UnknownEvent: Schema.Schema<UnknownEvent> = unknownKind(...events)

/** An event of a type that this version does not know. @since 0.1.0 @category events */
export interface UnknownEvent extends UnknownKind {}

/** An event of a message, discriminated by `type`. Unknown fields are kept. @since 0.1.0 @category models */
export const MessageEvent: Schema.Schema<MessageEvent> = open(
  Schema.Union(...events, UnknownEvent),
  "MessageEvent"
)

/** An event of a message, discriminated by `type`. @since 0.1.0 @category models */
export type MessageEvent =
  | MessageStart
  | ContentBlockStart
  | ContentBlockDelta
  | ContentBlockStop
  | MessageDelta
  | MessageStop
  | UnknownEvent

/**
 * How to read the stream of a message. `ping` events are dropped but reset `idleTimeout`, and `message_stop` ends the stream.
 * An `error` event fails the stream with the tagged error of its type, as an HTTP status would.
 *
 * Other servers of this API (Ollama, llama.cpp, vLLM, proxies) omit fields that are empty, zero or not known yet, and some
 * omit all `event:` lines. The contract fills in these fields with empty text, zero tokens and no stop reason. Unknown fields
 * are kept.
 *
 * @since 0.1.0
 * @category contracts
 */
export const contract: EventStream.EventStream<MessageEvent> = EventStream.make({
  event: asSent(MessageEvent, fillEvent),
  ignore: ["ping"],
  error: { event: "error" },
  // With lenient validation an event may have any shape.
  terminal: (event) => event?.type === "message_stop"
})
