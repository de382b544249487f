/** The small program on this project's client of the Anthropic API for plain async code. */
import * as AnthropicPromise from "@effect-api/anthropic/AnthropicPromise"

type Params = Parameters<AnthropicPromise.AnthropicPromise["messages"]["create"]>[0]

export const run = async (baseUrl: string, apiKey: string, body: object): Promise<string> => {
  await using client = AnthropicPromise.make({ baseUrl, apiKey })
  const message = await client.messages.create(body as Params)
  const [block] = message.content
  return block?.type === "text" ? block.text : ""
}
