/** What Node and undici give without a client around them: no retries, no limits of time, nothing validated. */
import { createParser } from "eventsource-parser"
import { Agent, request } from "undici"
import type { Open } from "./Rival.js"
import { headers, messageBody, textOf } from "./requests.js"

interface Event {
  readonly type: string
  readonly delta?: { readonly text?: string }
}

const post = { method: "POST", headers: { ...headers, "content-type": "application/json" } } as const

export const fetching: Open = (baseUrl) => ({
  call: async () => {
    const response = await fetch(`${baseUrl}/v1/messages`, { ...post, body: JSON.stringify(messageBody()) })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return textOf(await response.json())
  }
})

export const undici: Open = (baseUrl) => {
  const dispatcher = new Agent({ connections: 1000 })
  return {
    call: async () => {
      const body = JSON.stringify(messageBody())
      const response = await request(`${baseUrl}/v1/messages`, { ...post, dispatcher, body })
      if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
      return textOf(JSON.parse(await response.body.text()))
    }
  }
}

export const parsed: Open = (baseUrl) => {
  const dispatcher = new Agent({ connections: 1000 })
  return {
    call: () => Promise.reject(new Error("reads streams only")),
    stream: async (seen) => {
      const body = JSON.stringify({ ...messageBody(), stream: true })
      const response = await request(`${baseUrl}/v1/messages`, { ...post, dispatcher, body })
      if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
      const parser = createParser({
        onEvent: ({ data }) => {
          const event: Event = JSON.parse(data)
          seen(event.type === "content_block_delta" ? (event.delta?.text ?? "") : "")
        }
      })
      const utf8 = new TextDecoder()
      for await (const chunk of response.body) parser.feed(utf8.decode(chunk, { stream: true }))
    }
  }
}
