/** The small program on this project's client for plain async code, with nothing of Effect: the response is parsed, and no more. */
import * as Credentials from "@effect-api/client/Credentials"
import * as PromiseClient from "@effect-api/client/PromiseClient"
import * as ResponseDecoder from "@effect-api/client/ResponseDecoder"
import type { Body } from "./fetch.js"

export const run = async (baseUrl: string, apiKey: string, body: object): Promise<string> => {
  await using client = PromiseClient.make({
    baseUrl,
    credentials: Credentials.header("x-api-key", apiKey),
    headers: { "anthropic-version": "2023-06-01" }
  })
  const message = (await client.post("/v1/messages", { body, success: ResponseDecoder.json })) as Body
  return message.content[0]?.text ?? ""
}
