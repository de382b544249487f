/** The events of a message, one by one. */
import { model, type Program } from "./program.js"

export const run: Program = async (anthropic, print) => {
  const events = anthropic.messages.stream({
    model,
    max_tokens: 1024,
    messages: [{ role: "user", content: "How many toes do dogs have?" }]
  })
  for await (const event of events) {
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") print(event.delta.text)
    else print(event.type)
  }
}
