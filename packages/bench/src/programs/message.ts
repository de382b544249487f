/** The response that the small programs validate. */
import { Schema } from "effect"

export const Message = Schema.Struct({
  id: Schema.String,
  content: Schema.Array(Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })),
  usage: Schema.Struct({ input_tokens: Schema.Number, output_tokens: Schema.Number })
})

export const textOf = (message: typeof Message.Type): string => message.content[0]?.text ?? ""
