/** The thinking of the model, and its text. */
import { model, type Program } from "./program.js"

export const run: Program = async (anthropic, print) => {
  const message = await anthropic.messages.create({
    model,
    max_tokens: 3200,
    thinking: { type: "adaptive", display: "summarized" },
    messages: [{ role: "user", content: "Create a haiku about Anthropic." }]
  })
  for (const block of message.content) {
    if (block.type === "thinking") print(`Thinking: ${block.thinking}`)
    if (block.type === "text") print(`Text: ${block.text}`)
  }
}
