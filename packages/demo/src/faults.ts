/** The sections about what goes wrong with a call. */
import { Anthropic, Message, Messages } from "@effect-api/anthropic"
import { type ApiError, RetryPolicy } from "@effect-api/client"
import { AnthropicApi, TestServer } from "@effect-api/testing"
import { Duration, Effect, Fiber } from "effect"
import { type Lines, model, must, NotShown, type OwnApi, question, succeeded } from "./Section.js"

const once = { retry: RetryPolicy.none }

export const retryAfter = (api: OwnApi) =>
  Effect.gen(function* () {
    yield* api.inject(AnthropicApi.failure("overloaded_error", { retryAfter: 0.3 }))
    const { client } = yield* Anthropic.Anthropic
    const { attempts, status } = yield* client.executeWithResponse(
      Messages.create(question(yield* model, "Quick!"))
    )
    const [refused, answered] = attempts
    if (refused === undefined || answered === undefined) return yield* new NotShown({ message: "no retry" })
    const waited = answered.startedAt - refused.startedAt - Duration.toMillis(refused.duration)
    // Timers and clocks round differently, by a millisecond.
    yield* must(waited >= 299, `waited ${waited} ms only`)
    return [
      `answered ${refused.status} (${refused.tag}) with retry-after: 0.3`,
      `waited ${waited} ms, asked again, answered ${status}`
    ]
  })

export const byTag = Effect.gen(function* () {
  const { messages } = yield* Anthropic.Anthropic
  return yield* messages.create(question("no-such-model", "Anybody there?")).pipe(
    Effect.flatMap(succeeded("there is a model of every name")),
    Effect.catchTags({
      NotFoundError: ({ message, requestId, type }) =>
        Effect.succeed([
          `404 is a NotFoundError: ${message}`,
          `its type is ${type}, its request ${requestId}`
        ]),
      RateLimitError: ({ retryAfter }) => Effect.succeed([`too soon, try again after ${retryAfter}`])
    })
  )
})

export const fallback = (api: OwnApi) =>
  Effect.gen(function* () {
    yield* api.inject(AnthropicApi.failure("overloaded_error"))
    const { messages } = yield* Anthropic.Anthropic
    const ask = (model: string) => messages.create(question(model, "Anybody there?"), once)
    const answer = yield* ask("claude-opus-5-5").pipe(
      Effect.catchTag("OverloadedError", () => ask("claude-sonnet-5-5"))
    )
    yield* must(answer.model === "claude-sonnet-5-5", `${answer.model} answered`)
    return ["claude-opus-5-5 is overloaded (529, an OverloadedError)", `${answer.model} answers in its place`]
  })

export const misfit = (api: OwnApi) =>
  Effect.gen(function* () {
    const content = [AnthropicApi.block({ type: "text", text: 42 })]
    yield* api.script(AnthropicApi.response(content, { message: { id: "msg_1" } }))
    const { messages } = yield* Anthropic.Anthropic
    return yield* messages.create(question(yield* model, "Say something odd")).pipe(
      Effect.flatMap(succeeded("the answer was let through")),
      Effect.catchTag("ResponseValidationError", (error) =>
        Effect.succeed([
          `does not fit at ${error.path.join(".")}`,
          `the answer began: ${error.excerpt.slice(0, 60)}`
        ])
      )
    )
  })

export const ofTomorrow = (api: OwnApi) =>
  Effect.gen(function* () {
    const hologram = AnthropicApi.block({ type: "hologram", depth: 3 })
    yield* api.script(
      AnthropicApi.response([hologram, AnthropicApi.text("Look!")], { stopReason: "vanished" })
    )
    const { messages } = yield* Anthropic.Anthropic
    const answer = yield* messages.create(question(yield* model, "Show me"))
    return [
      `blocks: ${answer.content.map(({ type }) => type).join(", ")}; over for ${answer.stop_reason}`,
      `what is known is as it was: ${Message.text(answer)}`
    ]
  })

export const timeout = (api: OwnApi) =>
  Effect.gen(function* () {
    yield* api.inject(TestServer.never)
    const { messages } = yield* Anthropic.Anthropic
    const impatient = { ...once, timeouts: { response: "100 millis" } } as const
    return yield* messages.create(question(yield* model, "Think about it"), impatient).pipe(
      Effect.flatMap(succeeded("a server that is silent answered")),
      Effect.catchTag("TimeoutError", (error) =>
        Effect.succeed([
          `TimeoutError in phase "${error.phase}" after ${Duration.format(error.limit)}`,
          `what the server did is unknown: delivery is "${error.delivery}"`
        ])
      )
    )
  })

export const interruption = (api: OwnApi) =>
  Effect.gen(function* () {
    yield* api.inject(TestServer.never)
    const before = yield* api.requestCount
    const { messages } = yield* Anthropic.Anthropic
    const fiber = yield* Effect.fork(messages.create(question(yield* model, "Never mind")))
    const request = yield* Effect.fromNullable((yield* api.awaitRequests(before + 1))[before])
    yield* Fiber.interrupt(fiber)
    const closedBy = yield* api.awaitClosed(request.index)
    yield* must(closedBy === "client", `the ${closedBy} closed the socket`)
    return ["interrupted while waiting for an answer", `the server saw the ${closedBy} close the socket`]
  })

export const ledger = (api: OwnApi) =>
  Effect.gen(function* () {
    const restarting = { error: { type: "api_error", message: "restarting" } }
    yield* api.inject(
      TestServer.json(restarting, { status: 503, headers: { "retry-after-ms": "100" } }),
      TestServer.reset,
      AnthropicApi.failure("api_error", { message: "out of order" })
    )
    const { messages } = yield* Anthropic.Anthropic
    const quick = { retry: { maxRetries: 2, initialDelay: "50 millis" } } as const
    const error = yield* messages
      .create(question(yield* model, "Try hard"), quick)
      .pipe(
        Effect.flatMap(succeeded("a server that is down answered")),
        Effect.catchTag("InternalServerError", Effect.succeed)
      )
    yield* must(error.attempts.length === 3, `${error.attempts.length} attempts`)
    return [`${error._tag}: ${error.message}`, ...table(error.attempts, error.stoppedBy)]
  })

/** The attempts of a call, as every error carries them. */
const table = (attempts: ReadonlyArray<ApiError.Attempt>, stoppedBy: ApiError.StoppedBy): Lines => {
  const start = attempts[0]?.startedAt ?? 0
  const rows = attempts.map(({ delay, duration, startedAt, status, tag }, index) => [
    String(index + 1),
    `+${startedAt - start} ms`,
    `${Duration.toMillis(duration)} ms`,
    [status, tag].filter((part) => part !== undefined).join(" "),
    delay === undefined ? `stopped by: ${stoppedBy}` : `waited ${Math.ceil(Duration.toMillis(delay))} ms`
  ])
  const all = [["#", "started", "took", "answer", "then"], ...rows]
  const width = (column: number) => Math.max(...all.map((row) => row[column]?.length ?? 0))
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(width(column)))
      .join("  ")
      .trimEnd()
  )
}
