/** The small program on OpenAI's SDK. */
import OpenAI from "openai"

export const run = async (baseURL: string, apiKey: string, body: object): Promise<string> => {
  const client = new OpenAI({ baseURL, apiKey })
  const completion = await client.chat.completions.create(
    body as OpenAI.ChatCompletionCreateParamsNonStreaming
  )
  return completion.choices[0]?.message.content ?? ""
}
