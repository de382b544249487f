/** The model's thinking and its text as they are written. */
import { model, type Program } from "./program.js"

export const run: Program = async (anthropic, print) => {
  const stream = anthropic.messages.stream({
    model,
    max_tokens: 3200,
    thinking: { type: "adaptive", display: "summarized" },
    messages: [{ role: "user", content: "Create a haiku about Anthropic." }]
  })
  for await (const event of stream) {
    if (event.type !== "content_block_delta") continue
    if (event.delta.type === "thinking_delta") print(`Thinking: ${event.delta.thinking}`)
    if (event.delta.type === "text_delta") print(`Text: ${event.delta.text}`)
  }
}
