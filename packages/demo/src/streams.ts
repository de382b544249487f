/** The sections about streams that fail. */
import { inspect } from "node:util"
import { Anthropic, MessageStream } from "@effect-api/anthropic"
import { AnthropicApi } from "@effect-api/testing"
import { Effect, Ref, Stream } from "effect"
import { type LocalApi, model, question, unexpected } from "./Section.js"

export const truncated = (api: LocalApi) =>
  Effect.gen(function* () {
    yield* api.script(AnthropicApi.response("Once upon a time", { failsAfter: { events: 6 } }))
    const { messages } = yield* Anthropic.Anthropic
    const received = yield* Ref.make("")
    return yield* messages.stream(question(yield* model, "Tell me a story")).pipe(
      MessageStream.textDeltas,
      Stream.runForEach((text) => Ref.update(received, (before) => before + text)),
      Effect.flatMap(unexpected("a truncated stream seemed complete")),
      Effect.catchTag("StreamTruncatedError", (error) =>
        Effect.map(Ref.get(received), (text) => [
          `${error._tag}: ${error.message}`,
          `the program got the ${error.received} events before the end: ${inspect(text)}`
        ])
      )
    )
  })

export const overloaded = (api: LocalApi) =>
  Effect.gen(function* () {
    const failsAfter = { events: 5, failure: AnthropicApi.failure("overloaded_error") }
    yield* api.script(AnthropicApi.response("Once upon a time", { failsAfter }))
    const { messages } = yield* Anthropic.Anthropic
    return yield* MessageStream.finalMessage(messages.stream(question(yield* model, "Tell me a story"))).pipe(
      Effect.flatMap(unexpected("the client ignored the error event")),
      Effect.catchTag("OverloadedError", ({ _tag, message, requestId, stoppedBy }) =>
        Effect.succeed([
          `${_tag}: ${message} (${requestId})`,
          `not retried, because the program already got events: ${stoppedBy}`
        ])
      )
    )
  })
