/** The same with a plain JSON Schema, from which the type of the input follows; each message is printed. */
import { AsyncTool } from "@effect-api/anthropic"
import { model, type Program } from "./program.js"

const convert = AsyncTool.define({
  name: "convert",
  description: "Convert an amount of money",
  input: {
    type: "object",
    properties: { amount: { type: "number" }, to: { type: "string", enum: ["EUR", "CHF"] } },
    required: ["amount", "to"]
  },
  run: async ({ amount, to }) => `${amount * 0.85} ${to}`
})

export const run: Program = async (anthropic, print) => {
  const messages = anthropic.messages.run(
    { model, max_tokens: 1024, messages: [{ role: "user", content: "How much is $100 in Europe?" }] },
    { tools: [convert], maxIterations: 10 }
  )
  for await (const { content } of messages)
    for (const block of content) {
      if (block.type === "tool_use") print(`${block.name} ${JSON.stringify(block.input)}`)
      if (block.type === "text") print(block.text)
    }
}
