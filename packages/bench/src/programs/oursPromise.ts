/** The small program on this project's client for plain async code. */
import { ApiRequest, Credentials, PromiseClient } from "@effect-api/client"
import { Redacted } from "effect"
import { Message, textOf } from "./message.js"

const request = (body: object) => ApiRequest.post("/v1/messages", { body, success: Message })

export const run = async (baseUrl: string, apiKey: string, body: object): Promise<string> => {
  await using client = PromiseClient.make({
    baseUrl,
    credentials: Credentials.header("x-api-key", Redacted.make(apiKey)),
    headers: { "anthropic-version": "2023-06-01" }
  })
  return textOf(await client.execute(request(body)))
}
