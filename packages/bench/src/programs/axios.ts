/** The small program on axios: no retries, nothing validated. */
import axios from "axios"
import type { Body } from "./fetch.js"

export const run = async (baseUrl: string, apiKey: string, body: object): Promise<string> => {
  const headers = { "x-api-key": apiKey, "anthropic-version": "2023-06-01" }
  const { data } = await axios.post<Body>(`${baseUrl}/v1/messages`, body, { headers })
  return data.content[0]?.text ?? ""
}
