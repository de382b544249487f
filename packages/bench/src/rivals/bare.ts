/** Node and undici without a client: no retries, no timeouts, no validation. */
import { connect } from "node:http2"
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

const requesting =
  (options: Agent.Options): Open =>
  (baseUrl) => {
    const dispatcher = new Agent(options)
    return {
      call: async () => {
        const body = JSON.stringify(messageBody())
        const response = await request(`${baseUrl}/v1/messages`, { ...post, dispatcher, body })
        if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
        return textOf(JSON.parse(await response.body.text()))
      }
    }
  }

export const undici: Open = requesting({ connections: 1000 })

/** Accepts the self-signed certificate of the bench's server. */
const insecure = { rejectUnauthorized: false }

/** All requests share one connection. */
export const undiciOverHttp2: Open = requesting({
  allowH2: true,
  connections: 1,
  pipelining: 1000,
  connect: insecure
})

/** Code for one known origin: a session, and a stream per request. */
export const http2ByHand: Open = (baseUrl) => {
  const { origin, pathname } = new URL(baseUrl)
  const session = connect(origin, insecure)
  const requestHeaders = { ":method": "POST", ":path": `${pathname}/v1/messages`, ...post.headers }
  return {
    call: () =>
      new Promise((resolve, reject) => {
        const stream = session.request(requestHeaders)
        let status = 0
        let text = ""
        stream.setEncoding("utf8")
        stream.on("response", (headers) => {
          status = headers[":status"] ?? 0
        })
        stream.on("data", (chunk: string) => {
          text += chunk
        })
        stream.on("end", () => {
          if (status === 200) resolve(textOf(JSON.parse(text)))
          else reject(new Error(`status ${status}`))
        })
        stream.on("error", reject)
        stream.end(JSON.stringify(messageBody()))
      })
  }
}

export const parsed: Open = (baseUrl) => {
  const dispatcher = new Agent({ connections: 1000 })
  return {
    call: () => Promise.reject(new Error("reads streams only")),
    stream: async (onText) => {
      const body = JSON.stringify({ ...messageBody(), stream: true })
      const response = await request(`${baseUrl}/v1/messages`, { ...post, dispatcher, body })
      if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
      const parser = createParser({
        onEvent: ({ data }) => {
          const event: Event = JSON.parse(data)
          onText(event.type === "content_block_delta" ? (event.delta?.text ?? "") : "")
        }
      })
      const utf8 = new TextDecoder()
      for await (const chunk of response.body) parser.feed(utf8.decode(chunk, { stream: true }))
    }
  }
}
