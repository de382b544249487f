/** A question about an image. */
import { readFile } from "node:fs/promises"
import { model, type Program } from "./program.js"

const image = new URL("../../test/fixtures/pixel.png", import.meta.url)

export const run: Program = async (anthropic, print) => {
  const data = (await readFile(image)).toString("base64")
  const message = await anthropic.messages.create({
    model,
    max_tokens: 300,
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "What color is this?" },
          { type: "image", source: { type: "base64", media_type: "image/png", data } }
        ]
      }
    ]
  })
  for (const block of message.content) if (block.type === "text") print(block.text)
}
