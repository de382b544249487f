/** A tool that the program runs itself: the call, its result, and the message that uses it. */
import type { Message, ToolParam } from "@effect-api/anthropic"
import { model, type Program } from "./program.js"

const tools: ReadonlyArray<ToolParam.ToolParam> = [
  {
    name: "get_weather",
    description: "Get the weather for a specific location",
    input_schema: { type: "object", properties: { location: { type: "string" } }, required: ["location"] }
  }
]

export const run: Program = async (anthropic, print) => {
  const question: Message.MessageParam = { role: "user", content: "What is the weather in SF?" }
  const first = await anthropic.messages.create({ model, max_tokens: 1024, messages: [question], tools })
  const call = first.content.find((block) => block.type === "tool_use")
  if (call === undefined) throw new Error("the model called no tool")
  print(`${first.stop_reason}: ${call.name} ${JSON.stringify(call.input)}`)

  const second = await anthropic.messages.create({
    model,
    max_tokens: 1024,
    messages: [
      question,
      { role: "assistant", content: first.content },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: call.id, content: "The weather is 73f" }]
      }
    ],
    tools
  })
  for (const block of second.content) if (block.type === "text") print(block.text)
}
