/** The blocks of a message, each once it is whole, and the message itself. */
import { model, type Program } from "./program.js"

export const run: Program = async (anthropic, print) => {
  const stream = anthropic.messages.stream({
    model,
    max_tokens: 1024,
    messages: [
      { role: "user", content: "Hey Claude! How can I recursively list all files in a directory in Rust?" }
    ]
  })
  for await (const block of stream.contentBlocks()) print(`${block.type} block`)
  const { content, stop_reason } = await stream.finalMessage()
  print(`${content.length} block(s), ${stop_reason}`)
}
