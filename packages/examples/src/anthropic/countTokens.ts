/** The tokens of a message before it is sent. */
import { model, type Program } from "./program.js"

export const run: Program = async (anthropic, print) => {
  const { input_tokens } = await anthropic.messages.countTokens({
    model,
    messages: [{ role: "user", content: "Hey Claude!? How can I recursively list all files in a directory?" }]
  })
  print(`${input_tokens} tokens`)
}
