/** The small program on undici alone: no retries, nothing validated. */
import { request } from "undici"

export const run = async (baseUrl: string, apiKey: string, body: object): Promise<string> => {
  const response = await request(`${baseUrl}/v1/messages`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-api-key": apiKey,
      "anthropic-version": "2023-06-01"
    },
    body: JSON.stringify(body)
  })
  const message = (await response.body.json()) as { content: ReadonlyArray<{ text: string }> }
  return message.content[0]?.text ?? ""
}
