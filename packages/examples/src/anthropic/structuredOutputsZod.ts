/** A message whose text is JSON, as zod describes and checks it. */
import { OutputFormat } from "@effect-api/anthropic"
import { z } from "zod"
import { model, type Program } from "./program.js"

const Numbers = z.object({ primes: z.array(z.number()) })

export const run: Program = async (anthropic, print) => {
  const { parsed_output } = await anthropic.messages.parse({
    model,
    max_tokens: 1024,
    messages: [{ role: "user", content: "What are the first 3 prime numbers?" }],
    output_config: { format: OutputFormat.make(Numbers) }
  })
  print(`the sum is ${parsed_output.primes.reduce((sum, prime) => sum + prime, 0)}`)
}
