/** The text of a message as it is written, and the whole message at the end. */
import { model, type Program } from "./program.js"

export const run: Program = async (anthropic, print) => {
  const stream = anthropic.messages.stream({
    model,
    max_tokens: 1024,
    messages: [{ role: "user", content: "Say hello there!" }]
  })
  for await (const text of stream.textDeltas()) print(text)
  print((await stream.finalMessage()).stop_reason ?? "")
}
