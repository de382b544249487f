/** The SDKs of the vendors, with default settings. */
import Anthropic from "@anthropic-ai/sdk"
import OpenAI from "openai"
import type { Open } from "./Rival.js"
import { apiKey, completionBody, messageBody } from "./requests.js"

const textOfEvent = (event: Anthropic.MessageStreamEvent): string =>
  event.type === "content_block_delta" && event.delta.type === "text_delta" ? event.delta.text : ""

export const anthropic: Open = (baseURL) => {
  const client = new Anthropic({ baseURL, apiKey })
  return {
    call: async () => {
      const message = await client.messages.create(messageBody())
      const [block] = message.content
      return block?.type === "text" ? block.text : ""
    },
    stream: async (onText) => {
      const events = await client.messages.create({ ...messageBody(), stream: true })
      for await (const event of events) onText(textOfEvent(event))
    }
  }
}

/** With the helper that accumulates the message meanwhile. */
export const anthropicMessages: Open = (baseURL) => {
  const client = new Anthropic({ baseURL, apiKey })
  return {
    call: () => Promise.reject(new Error("reads streams only")),
    stream: async (onText) => {
      for await (const event of client.messages.stream(messageBody())) onText(textOfEvent(event))
    }
  }
}

export const openai: Open = (baseURL) => {
  const client = new OpenAI({ baseURL, apiKey })
  return {
    call: async () => {
      const completion = await client.chat.completions.create(completionBody())
      return completion.choices[0]?.message.content ?? ""
    },
    stream: async (onText) => {
      const chunks = await client.chat.completions.create({ ...completionBody(), stream: true })
      for await (const chunk of chunks) onText(chunk.choices[0]?.delta.content ?? "")
    }
  }
}
