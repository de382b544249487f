/** The same with a plain JSON Schema, from which the type of the output follows, as a stream. */
import { OutputFormat } from "@effect-api/anthropic"
import { model, type Program } from "./program.js"

const format = OutputFormat.make({
  type: "object",
  properties: { primes: { type: "array", items: { type: "number" } } },
  required: ["primes"],
  additionalProperties: false
})

export const run: Program = async (anthropic, print) => {
  const stream = anthropic.messages.stream({
    model,
    max_tokens: 1024,
    messages: [{ role: "user", content: "What are the first 3 prime numbers?" }],
    output_config: { format }
  })
  for await (const { output } of stream.outputDeltas()) print(JSON.stringify(output))
  const { parsed_output } = await stream.finalParsed(format)
  print(`the largest is ${Math.max(...parsed_output.primes)}`)
}
