/** The section about plain async code, without Effect. */
import { inspect } from "node:util"
import { AnthropicPromise, Message } from "@effect-api/anthropic"
import { ApiError, RetryPolicy } from "@effect-api/client"
import { AnthropicApi } from "@effect-api/testing"
import { Effect } from "effect"
import { type Lines, type LocalApi, model, question, SectionFailed } from "./Section.js"

const program = async (baseUrl: string, model: string): Promise<Lines> => {
  await using anthropic = AnthropicPromise.make({ apiKey: "demo-key", baseUrl })
  const lines: Array<string> = []
  try {
    await anthropic.messages.create(question(model, "Is anybody there?"), { retry: RetryPolicy.none })
    throw new SectionFailed({ message: "an overloaded model replied" })
  } catch (error) {
    if (!(error instanceof ApiError.OverloadedError)) throw error
    lines.push(`the promise rejected with an OverloadedError: ${error.message}`)
  }
  const message = await anthropic.messages.create(question(model, "Is anybody there?"))
  lines.push(`await returned ${inspect(Message.text(message))}`)
  const stream = anthropic.messages.stream(question(model, "And now, streaming"))
  const deltas: Array<string> = []
  for await (const text of stream.textDeltas()) deltas.push(text)
  const { usage } = await stream.finalMessage()
  lines.push(`for await received ${inspect(deltas)}, ${usage.output_tokens} output tokens`)
  return lines
}

export const promises = (api: LocalApi) =>
  Effect.gen(function* () {
    yield* api.inject(AnthropicApi.failure("overloaded_error"))
    const chosen = yield* model
    return yield* Effect.tryPromise({ try: () => program(api.url, chosen), catch: (error) => error })
  })
