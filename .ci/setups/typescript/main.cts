import { ApiError, ApiRequest, EventStream, PromiseClient } from "@effect-api/client"
import * as RetryPolicy from "@effect-api/client/RetryPolicy"
import { Schema } from "effect"

const Todo = Schema.Struct({ id: Schema.Number, title: Schema.String })
const Token = Schema.Struct({ text: Schema.String })

const getTodo = (id: number) => ApiRequest.get("/todos/{id}", { path: { id }, success: Todo })
const story = ApiRequest.get("/v1/stream", { events: EventStream.make({ event: Token, terminal: "[DONE]" }) })

const main = async (baseUrl: string): Promise<void> => {
  const client = PromiseClient.make({ baseUrl, retry: RetryPolicy.none })
  const { title } = await client.execute(getTodo(1))
  const texts: Array<string> = []
  for await (const { text } of client.stream(story)) texts.push(text)
  const error: unknown = await client.execute(getTodo(999)).catch((error: unknown) => error)
  console.log([title, ...texts, error instanceof ApiError.NotFoundError ? "not found" : error].join(", "))
  await client.close()
}

void main(process.env["API_BASE_URL"] ?? "")
