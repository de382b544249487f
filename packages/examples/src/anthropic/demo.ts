/** One message, and the tokens that it used. */
import { model, type Program } from "./program.js"

export const run: Program = async (anthropic, print) => {
  const message = await anthropic.messages.create({
    model,
    max_tokens: 1024,
    messages: [{ role: "user", content: "Hello, Claude!" }]
  })
  for (const block of message.content) if (block.type === "text") print(block.text)
  print(`${message.stop_reason}: ${message.usage.input_tokens} in, ${message.usage.output_tokens} out`)
}
