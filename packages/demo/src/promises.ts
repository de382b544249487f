/** The section about plain async code: the same API, without Effect. */
import { inspect } from "node:util"
import { AnthropicPromise, Message } from "@effect-api/anthropic"
import { ApiError, RetryPolicy } from "@effect-api/client"
import { AnthropicApi } from "@effect-api/testing"
import { Effect } from "effect"
import { type Lines, model, NotShown, type OwnApi, question } from "./Section.js"

const program = async (baseUrl: string, model: string): Promise<Lines> => {
  await using anthropic = AnthropicPromise.make({ apiKey: "demo-key", baseUrl })
  const lines: Array<string> = []
  try {
    await anthropic.messages.create(question(model, "Anybody there?"), { retry: RetryPolicy.none })
    throw new NotShown({ message: "an overloaded model answered" })
  } catch (error) {
    if (!(error instanceof ApiError.OverloadedError)) throw error
    lines.push(`the promise rejected with an OverloadedError: ${error.message}`)
  }
  const message = await anthropic.messages.create(question(model, "Anybody there?"))
  lines.push(`await gives ${inspect(Message.text(message))}`)
  const stream = anthropic.messages.stream(question(model, "And now in pieces"))
  const pieces: Array<string> = []
  for await (const text of stream.textDeltas()) pieces.push(text)
  const { usage } = await stream.finalMessage()
  lines.push(`for await gives ${inspect(pieces)}, ${usage.output_tokens} tokens in all`)
  return lines
}

export const promises = (api: OwnApi) =>
  Effect.gen(function* () {
    yield* api.inject(AnthropicApi.failure("overloaded_error"))
    const chosen = yield* model
    return yield* Effect.tryPromise({ try: () => program(api.url, chosen), catch: (error) => error })
  })
