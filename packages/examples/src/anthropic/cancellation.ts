/** Three ways to end a message early: a signal, a time limit, and leaving the loop. */
import { model, type Program } from "./program.js"

const params = {
  model,
  max_tokens: 1024,
  messages: [{ role: "user", content: "Tell me a long story." }]
} as const

const nameOf = (error: unknown) => (error instanceof Error ? error.name : "unknown")

export const run: Program = async (anthropic, print) => {
  const ending = new AbortController()
  const message = anthropic.messages.create(params, { signal: ending.signal })
  ending.abort()
  await message.catch((error: unknown) => print(`aborted: ${nameOf(error)}`))

  const late = anthropic.messages.create(params, { signal: AbortSignal.timeout(20) })
  await late.catch((error: unknown) => print(`too late: ${nameOf(error)}`))

  const words: Array<string> = []
  for await (const text of anthropic.messages.stream(params).textDeltas()) if (words.push(text) === 2) break
  print(`left after ${words.length} deltas`)
}
