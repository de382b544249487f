/** Node and undici without a client: no retries, no timeouts, no validation. */
import { connect } from "node:http2"
import { createParser } from "eventsource-parser"
import { Agent, request } from "undici"
import type { Open } from "./Rival.js"
import { headers, messageBody, textOf, textOfPage } from "./requests.js"

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

interface Received {
  readonly statusCode: number
  readonly body: { readonly text: () => Promise<string> }
}

interface Sent<Dispatcher> {
  readonly method?: "POST"
  readonly headers: typeof headers
  readonly body?: string
  readonly dispatcher: Dispatcher
}

/** A client of one version of undici. */
const requesting =
  <Dispatcher>(
    request: (url: string, options: Sent<Dispatcher>) => Promise<Received>,
    dispatcher: Dispatcher
  ): Open =>
  (baseUrl) => {
    const read = async ({ body, statusCode }: Received): Promise<unknown> => {
      if (statusCode !== 200) throw new Error(`status ${statusCode}`)
      return JSON.parse(await body.text())
    }
    return {
      call: async () => {
        const body = JSON.stringify(messageBody())
        return textOf(await read(await request(`${baseUrl}/v1/messages`, { ...post, dispatcher, body })))
      },
      page: async () => textOfPage(await read(await request(`${baseUrl}/v1/pages`, { headers, dispatcher })))
    }
  }

const connections = 1000

export const agent = (): Agent => new Agent({ connections })

export const undici: Open = (baseUrl) => requesting(request, agent())(baseUrl)

/** The newest version, which does not load on an older Node. */
export const undici8: Open = async (baseUrl) => {
  const { Agent, request } = await import("undici8")
  return requesting(request, new Agent({ connections }))(baseUrl)
}

/** Accepts the self-signed certificate of the bench's server. */
const insecure = { rejectUnauthorized: false }

/** All requests share one connection. */
export const undiciOverHttp2: Open = (baseUrl) =>
  requesting(
    request,
    new Agent({ allowH2: true, connections: 1, pipelining: 1000, connect: insecure })
  )(baseUrl)

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

const openStream = async (baseUrl: string, dispatcher: Agent): Promise<AsyncIterable<Uint8Array>> => {
  const body = JSON.stringify({ ...messageBody(), stream: true })
  const response = await request(`${baseUrl}/v1/messages`, { ...post, dispatcher, body })
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
  return response.body
}

/** Parses the chunks of a response, and passes on the text of each event. */
const parsing = (onText: (text: string) => void): ((chunk: Uint8Array) => void) => {
  const parser = createParser({
    onEvent: ({ data }) => {
      const event: Event = JSON.parse(data)
      onText(event.type === "content_block_delta" ? (event.delta?.text ?? "") : "")
    }
  })
  const utf8 = new TextDecoder()
  return (chunk) => parser.feed(utf8.decode(chunk, { stream: true }))
}

export const parsed: Open = (baseUrl) => {
  const dispatcher = agent()
  return {
    call: () => Promise.reject(new Error("reads streams only")),
    stream: async (onText) => {
      const parse = parsing(onText)
      for await (const chunk of await openStream(baseUrl, dispatcher)) parse(chunk)
    }
  }
}

/** The texts of the events of a stream: a list for each chunk of its response. */
export const eventBatches = async function* (
  baseUrl: string,
  dispatcher: Agent
): AsyncGenerator<ReadonlyArray<string>> {
  let texts: Array<string> = []
  const parse = parsing((text) => texts.push(text))
  for await (const chunk of await openStream(baseUrl, dispatcher)) {
    parse(chunk)
    yield texts
    texts = []
  }
}
