/** The small program on ky: retries, nothing validated. */
import ky from "ky"
import type { Body } from "./fetch.js"

export const run = async (baseUrl: string, apiKey: string, body: object): Promise<string> => {
  const headers = { "x-api-key": apiKey, "anthropic-version": "2023-06-01" }
  const message = await ky.post(`${baseUrl}/v1/messages`, { json: body, headers }).json<Body>()
  return message.content[0]?.text ?? ""
}
