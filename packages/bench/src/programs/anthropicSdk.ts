/** The small program on Anthropic's SDK. */
import Anthropic from "@anthropic-ai/sdk"

export const run = async (baseURL: string, apiKey: string, body: object): Promise<string> => {
  const client = new Anthropic({ baseURL, apiKey })
  const message = await client.messages.create(body as Anthropic.MessageCreateParamsNonStreaming)
  const [block] = message.content
  return block?.type === "text" ? block.text : ""
}
