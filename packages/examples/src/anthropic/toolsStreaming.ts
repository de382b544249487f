/** The input of a tool as the model writes it, and what it is so far. */
import { model, type Program } from "./program.js"

export const run: Program = async (anthropic, print) => {
  const stream = anthropic.messages.stream({
    model,
    max_tokens: 1024,
    messages: [{ role: "user", content: "What is the weather in SF?" }],
    tools: [
      {
        name: "get_weather",
        description: "Get the weather at a specific location",
        input_schema: { type: "object", properties: { location: { type: "string" } }, required: ["location"] }
      }
    ]
  })
  for await (const { input, partial_json } of stream.inputDeltas())
    print(`${partial_json} -> ${JSON.stringify(input)}`)
}
