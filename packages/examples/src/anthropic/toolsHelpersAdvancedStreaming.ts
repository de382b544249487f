/** Three tools that the model calls side by side, with every event of every message. */
import { AsyncTool } from "@effect-api/anthropic"
import { z } from "zod"
import { model, type Program } from "./program.js"

const getWeather = AsyncTool.define({
  name: "getWeather",
  description: "Get the weather at a specific location",
  input: z.object({ location: z.string() }),
  run: async ({ location }) => `The weather is sunny with a temperature of 20°C in ${location}.`
})
const getTime = AsyncTool.define({
  name: "getTime",
  description: "Get the current time in a specific timezone",
  input: z.object({ timezone: z.string() }),
  run: async ({ timezone }) => `The current time in ${timezone} is 3:00 PM.`
})
const getRate = AsyncTool.define({
  name: "getCurrencyExchangeRate",
  description: "Get the exchange rate between two currencies",
  input: z.object({ from: z.string(), to: z.string() }),
  run: async ({ from, to }) => `The exchange rate from ${from} to ${to} is 0.85.`
})
const tools = [getWeather, getTime, getRate]

export const run: Program = async (anthropic, print) => {
  const question = "I'm planning a trip to San Francisco: the weather, the time, and what is a euro?"
  const events = anthropic.messages.runStream(
    { model, max_tokens: 1024, messages: [{ role: "user", content: question }] },
    { tools, maxIterations: 10 }
  )
  for await (const event of events) {
    if (event.type === "message_start") print("message")
    if (event.type === "content_block_start" && event.content_block.type === "tool_use")
      print(`call ${event.content_block.name}`)
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") print(event.delta.text)
  }
}
