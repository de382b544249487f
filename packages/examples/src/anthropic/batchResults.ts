/** A batch of messages from its start to its results. */
import { model, type Program } from "./program.js"

const asked = (content: string) => ({
  model,
  max_tokens: 1024,
  messages: [{ role: "user" as const, content }]
})

export const run: Program = async (anthropic, print) => {
  const { batches } = anthropic.messages
  const { id } = await batches.create({
    requests: [
      { custom_id: "first", params: asked("Hey Claude!?") },
      { custom_id: "second", params: asked("What else?") }
    ]
  })
  const ended = await batches.untilEnded(id)
  print(`${ended.processing_status}: ${ended.request_counts.succeeded} succeeded`)
  for await (const { custom_id, result } of batches.results(id)) print(`${custom_id}: ${result.type}`)
}
