/** A conversation with a tool whose input zod describes and checks. */
import { AsyncTool } from "@effect-api/anthropic"
import { z } from "zod"
import { model, type Program } from "./program.js"

const getWeather = AsyncTool.define({
  name: "get_weather",
  description: "Get the weather at a specific location",
  input: z.object({ location: z.string().describe("The city and state, e.g. San Francisco, CA") }),
  run: async ({ location }) => `The weather is foggy with a temperature of 20°C in ${location}.`
})

export const run: Program = async (anthropic, print) => {
  const message = await anthropic.messages
    .run(
      { model, max_tokens: 1024, messages: [{ role: "user", content: "What is the weather in SF?" }] },
      { tools: [getWeather], maxIterations: 10 }
    )
    .finalMessage()
  for (const block of message.content) if (block.type === "text") print(block.text)
}
