/** The small program on `fetch` alone: no retries, nothing validated. */
export interface Body {
  readonly content: ReadonlyArray<{ readonly text: string }>
}

export const run = async (baseUrl: string, apiKey: string, body: object): Promise<string> => {
  const response = await fetch(`${baseUrl}/v1/messages`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-api-key": apiKey,
      "anthropic-version": "2023-06-01"
    },
    body: JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`status ${response.status}`)
  const message = (await response.json()) as Body
  return message.content[0]?.text ?? ""
}
