// What each set-up builds and runs: a call, a stream, and an error that is caught by its class.
import { ApiError, ApiRequest, EventStream, PromiseClient } from "@effect-api/client"
import { Schema } from "effect"

const Todo = Schema.Struct({ id: Schema.Number, title: Schema.String })
const Token = Schema.Struct({ text: Schema.String })

const getTodo = (id) => ApiRequest.get("/todos/{id}", { path: { id }, success: Todo })
const story = ApiRequest.get("/v1/stream", { events: EventStream.make({ event: Token, terminal: "[DONE]" }) })

export const program = async (baseUrl) => {
  const client = PromiseClient.make({ baseUrl })
  try {
    const { title } = await client.execute(getTodo(1))
    const texts = []
    for await (const { text } of client.stream(story)) texts.push(text)
    const missing = await client.execute(getTodo(999)).catch((error) => {
      if (error instanceof ApiError.NotFoundError) return "not found"
      throw error
    })
    return [title, ...texts, missing].join(", ")
  } finally {
    await client.close()
  }
}
