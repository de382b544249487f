/**
 * The sections about streams: of events, and of pages.
 *
 * @since 0.1.0
 */
import { inspect } from "node:util"
import { ApiClient, ApiRequest } from "@effect-api/client"
import { Clock, Effect, Ref, Stream } from "effect"
import { askStreaming, listModels, textOf } from "./Messages.js"
import { LeftOut, must, NotShown, Screen } from "./Section.js"
import * as DemoServer from "./server.js"

export const tokenByToken = Effect.gen(function* () {
  const { write } = yield* Screen
  const { data } = yield* ApiClient.execute(listModels)
  const model = yield* Effect.fromNullable(data[0])
  yield* write("  ")
  const times = yield* ApiClient.stream(askStreaming(model.id, "Tell me a story in six words.")).pipe(
    Stream.map(textOf),
    Stream.filter((text) => text !== ""),
    Stream.tap(write),
    Stream.mapEffect(() => Clock.currentTimeMillis),
    Stream.runCollect,
    Effect.ensuring(write("\n")),
    Effect.map((times) => [...times]),
    // Not every server of this API streams.
    Effect.catchTag("StreamProtocolError", ({ message }) => new LeftOut({ message }))
  )
  yield* must(times.length > 0, "the answer had no text")
  const took = Math.max(...times) - Math.min(...times)
  return [`${times.length} pieces, written as they came, over ${took} ms; over at message_stop`]
})

export const truncated = (server: DemoServer.DemoServer) =>
  Effect.gen(function* () {
    yield* server.script(
      DemoServer.streaming(DemoServer.started("demo-large"), ...DemoServer.pieces("Once upon a"))
    )
    const heard = yield* Ref.make("")
    return yield* ApiClient.stream(askStreaming("demo-large", "Tell me a story")).pipe(
      Stream.runForEach((event) => Ref.update(heard, (text) => text + textOf(event))),
      Effect.flatMap(() => new NotShown({ message: "a stream that was cut off seemed complete" })),
      Effect.catchTag("StreamTruncatedError", ({ _tag, message, received }) =>
        Effect.map(heard, (text) => [
          `${_tag}: ${message}`,
          `the ${received} events that came were handed out: ${inspect(text)}`
        ])
      )
    )
  })

export const overloaded = (server: DemoServer.DemoServer) =>
  Effect.gen(function* () {
    yield* server.script(
      DemoServer.streaming(
        DemoServer.started("demo-large"),
        ...DemoServer.pieces("Once upon"),
        DemoServer.failed("overloaded_error", "too many users")
      )
    )
    return yield* ApiClient.stream(askStreaming("demo-large", "Tell me a story")).pipe(
      Stream.runDrain,
      Effect.flatMap(() => new NotShown({ message: "the error was passed over" })),
      Effect.catchTag("OverloadedError", ({ _tag, message, requestId, stoppedBy }) =>
        Effect.succeed([
          `${_tag}: ${message} (${requestId})`,
          `not asked for again, as events were handed out: ${stoppedBy}`
        ])
      )
    )
  })

export const pages = Effect.gen(function* () {
  const twoAtATime = listModels.pipe(ApiRequest.override({ query: { limit: 2 } }))
  const pages = yield* Stream.runCollect(ApiClient.pages(twoAtATime))
  const models = yield* Stream.runCollect(ApiClient.items(twoAtATime))
  const names = (models: Iterable<{ readonly id: string }>) => Array.from(models, ({ id }) => id).join(", ")
  return [
    ...Array.from(pages, ({ data }, index) => `page ${index + 1}: ${names(data)}`),
    `as items: ${names(models)}`
  ]
})
