/** What the server's responses hold. */
import { EventStream } from "@effect-api/client"
import { Schema } from "effect"

export const Todo = Schema.Struct({ id: Schema.Number, title: Schema.String })

export const Token = Schema.Struct({ index: Schema.Number, text: Schema.String })

export const Page = Schema.Struct({ data: Schema.Array(Todo), has_more: Schema.Boolean })

/** What the server read of a request. */
export const Echo = Schema.Struct({
  method: Schema.String,
  query: Schema.String,
  headers: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  text: Schema.String,
  length: Schema.Number
})

type Options = Partial<EventStream.Options<typeof Token, never, "skip">>

export const tokens = (options: Options = {}) =>
  EventStream.make({ event: Token, ignore: ["ping"], terminal: "[DONE]", ...options })
