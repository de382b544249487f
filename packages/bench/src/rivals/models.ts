/** The schemas of the responses, as a user of the API would write them. */
import { Schema } from "effect"

const Usage = Schema.Struct({
  input_tokens: Schema.Number,
  output_tokens: Schema.Number,
  cache_creation_input_tokens: Schema.optional(Schema.NullOr(Schema.Number)),
  cache_read_input_tokens: Schema.optional(Schema.NullOr(Schema.Number))
})

const TextBlock = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })

/** A message. */
export const Message = Schema.Struct({
  id: Schema.String,
  type: Schema.Literal("message"),
  role: Schema.Literal("assistant"),
  model: Schema.String,
  content: Schema.Array(TextBlock),
  stop_reason: Schema.NullOr(Schema.String),
  stop_sequence: Schema.NullOr(Schema.String),
  usage: Usage
})

export const textOfMessage = (message: typeof Message.Type): string => message.content[0]?.text ?? ""

/** An event of a stream. */
export const Event = Schema.Union(
  Schema.Struct({ type: Schema.Literal("message_start"), message: Message }),
  Schema.Struct({
    type: Schema.Literal("content_block_start"),
    index: Schema.Number,
    content_block: TextBlock
  }),
  Schema.Struct({
    type: Schema.Literal("content_block_delta"),
    index: Schema.Number,
    delta: Schema.Union(
      Schema.Struct({ type: Schema.Literal("text_delta"), text: Schema.String }),
      Schema.Struct({ type: Schema.Literal("input_json_delta"), partial_json: Schema.String })
    )
  }),
  Schema.Struct({ type: Schema.Literal("content_block_stop"), index: Schema.Number }),
  Schema.Struct({
    type: Schema.Literal("message_delta"),
    delta: Schema.Struct({
      stop_reason: Schema.NullOr(Schema.String),
      stop_sequence: Schema.NullOr(Schema.String)
    }),
    usage: Usage
  }),
  Schema.Struct({ type: Schema.Literal("message_stop") })
)

export const textOfEvent = (event: typeof Event.Type): string =>
  event.type === "content_block_delta" && event.delta.type === "text_delta" ? event.delta.text : ""

/** A page of a list. */
export const Page = Schema.Struct({
  id: Schema.String,
  next: Schema.NullOr(Schema.String),
  items: Schema.Array(Schema.Struct({ id: Schema.String, text: Schema.String }))
})

export const textOfPage = ({ items }: typeof Page.Type): string => items[items.length - 1]?.text ?? ""
