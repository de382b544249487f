/**
 * A message as it comes, event by event: https://docs.anthropic.com/en/docs/build-with-claude/streaming
 *
 * @since 0.1.0
 */
import { ApiSchema, EventStream } from "@effect-api/client"
import * as Schema from "effect/Schema"
import * as Citation from "../content/Citation.js"
import * as ContentBlock from "../content/ContentBlock.js"
import { kind, named, nullish, open, unknownKind } from "../shared/schema.js"
import * as Begun from "./begun.js"
import * as Message from "./Message.js"

/** The start: the message without its content. @since 0.1.0 @category events */
export const MessageStart = kind("message_start", { message: named<Message.Message>(Message.Message) })

/** The start: the message without its content. @since 0.1.0 @category events */
export interface MessageStart extends Schema.Schema.Type<typeof MessageStart> {}

/** A block begins, as a rule an empty one. @since 0.1.0 @category events */
export const ContentBlockStart = kind("content_block_start", {
  index: Schema.Number,
  content_block: ContentBlock.ContentBlock
})

/** A block begins, as a rule an empty one. @since 0.1.0 @category events */
export interface ContentBlockStart extends Schema.Schema.Type<typeof ContentBlockStart> {}

/** More text of a text block. @since 0.1.0 @category deltas */
export const TextDelta = kind("text_delta", { text: Schema.String })

/** More text of a text block. @since 0.1.0 @category deltas */
export interface TextDelta extends Schema.Schema.Type<typeof TextDelta> {}

/** More of the JSON that is a tool's input, cut anywhere. @since 0.1.0 @category deltas */
export const InputJsonDelta = kind("input_json_delta", { partial_json: Schema.String })

/** More of the JSON that is a tool's input, cut anywhere. @since 0.1.0 @category deltas */
export interface InputJsonDelta extends Schema.Schema.Type<typeof InputJsonDelta> {}

/** One more citation of a text block. @since 0.1.0 @category deltas */
export const CitationsDelta = kind("citations_delta", { citation: Citation.Citation })

/** One more citation of a text block. @since 0.1.0 @category deltas */
export interface CitationsDelta extends Schema.Schema.Type<typeof CitationsDelta> {}

/** More text of a thinking block. @since 0.1.0 @category deltas */
export const ThinkingDelta = kind("thinking_delta", { thinking: Schema.String })

/** More text of a thinking block. @since 0.1.0 @category deltas */
export interface ThinkingDelta extends Schema.Schema.Type<typeof ThinkingDelta> {}

/** The signature of a thinking block, whole. @since 0.1.0 @category deltas */
export const SignatureDelta = kind("signature_delta", { signature: Schema.String })

/** The signature of a thinking block, whole. @since 0.1.0 @category deltas */
export interface SignatureDelta extends Schema.Schema.Type<typeof SignatureDelta> {}

const deltas = [TextDelta, InputJsonDelta, CitationsDelta, ThinkingDelta, SignatureDelta] as const

/** A kind of delta that this version does not know. @since 0.1.0 @category deltas */
export const UnknownDelta = unknownKind(...deltas)

/** A kind of delta that this version does not know. @since 0.1.0 @category deltas */
export interface UnknownDelta extends Schema.Schema.Type<typeof UnknownDelta> {}

/** More of a block. @since 0.1.0 @category models */
export const Delta: Schema.Schema<Delta> = Schema.Union(...deltas, UnknownDelta)

/** More of a block. @since 0.1.0 @category models */
export type Delta =
  | TextDelta
  | InputJsonDelta
  | CitationsDelta
  | ThinkingDelta
  | SignatureDelta
  | UnknownDelta

/** More of the block at `index`. @since 0.1.0 @category events */
export const ContentBlockDelta = kind("content_block_delta", { index: Schema.Number, delta: Delta })

/** More of the block at `index`. @since 0.1.0 @category events */
export interface ContentBlockDelta extends Schema.Schema.Type<typeof ContentBlockDelta> {}

/** The block at `index` is complete. @since 0.1.0 @category events */
export const ContentBlockStop = kind("content_block_stop", { index: Schema.Number })

/** The block at `index` is complete. @since 0.1.0 @category events */
export interface ContentBlockStop extends Schema.Schema.Type<typeof ContentBlockStop> {}

/** How the message ends, and what it has cost. @since 0.1.0 @category events */
export const MessageDelta = kind("message_delta", {
  delta: Schema.Struct({
    stop_reason: nullish(Message.StopReason),
    stop_sequence: nullish(Schema.String),
    stop_details: nullish(named<Message.StopDetails>(Message.StopDetails)),
    container: nullish(named<Message.Container>(Message.Container))
  }),
  usage: named<Message.UsageSoFar>(Message.UsageSoFar),
  context_management: nullish(Schema.Unknown)
})

/** How the message ends, and what it has cost. @since 0.1.0 @category events */
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

/** A kind of event that this version does not know. @since 0.1.0 @category events */
export const UnknownEvent = unknownKind(...events)

/** A kind of event that this version does not know. @since 0.1.0 @category events */
export interface UnknownEvent extends Schema.Schema.Type<typeof UnknownEvent> {}

/** An event of a message, told apart by its `type`. Unknown fields stay. @since 0.1.0 @category models */
export const MessageEvent: Schema.Schema<MessageEvent> = open(
  Schema.Union(...events, UnknownEvent),
  "MessageEvent"
)

/** An event of a message, told apart by its `type`. @since 0.1.0 @category models */
export type MessageEvent =
  | MessageStart
  | ContentBlockStart
  | ContentBlockDelta
  | ContentBlockStop
  | MessageDelta
  | MessageStop
  | UnknownEvent

/**
 * What a stream of a message is: pings count for nothing but life, `message_stop` is its end, and an `error` event fails it
 * with the tagged error of its type, as a status would.
 *
 * Servers that speak the API and are not the vendor's (Ollama, llama.cpp, vLLM, proxies) leave out what is empty, zero or not
 * known yet, and some all `event:` lines. Their events are handed out whole: without text, tokens or a reason to stop where
 * they say nothing of it. Unknown fields stay.
 *
 * @since 0.1.0
 * @category contracts
 */
export const contract: EventStream.EventStream<MessageEvent> = EventStream.make({
  event: ApiSchema.asSent(MessageEvent, Begun.event),
  ignore: ["ping"],
  error: { event: "error" },
  // Under lenient validation an event may be anything.
  terminal: (event) => event?.type === "message_stop"
})
