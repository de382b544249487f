/** The sections about failing calls. */
import { inspect } from "node:util"
import { Anthropic, Message, Messages } from "@effect-api/anthropic"
import { type ApiError, RetryPolicy } from "@effect-api/client"
import { AnthropicApi, TestServer } from "@effect-api/testing"
import { Duration, Effect, Fiber } from "effect"
import { ensure, type Lines, type LocalApi, model, question, SectionFailed, unexpected } from "./Section.js"

const noRetry = { retry: RetryPolicy.none }

export const retryAfter = (api: LocalApi) =>
  Effect.gen(function* () {
    yield* api.inject(AnthropicApi.failure("overloaded_error", { retryAfter: 0.3 }))
    const { client } = yield* Anthropic.Anthropic
    const { attempts, status } = yield* client.executeWithResponse(
      Messages.create(question(yield* model, "Quick!"))
    )
    const [first, second] = attempts
    if (first === undefined || second === undefined) return yield* new SectionFailed({ message: "no retry" })
    const waited = second.startedAt - first.startedAt - Duration.toMillis(first.duration)
    // Timers and clocks differ by a millisecond of rounding.
    yield* ensure(waited >= 299, `the client waited ${waited} ms only`)
    return [
      `attempt 1: ${first.status} ${first.tag}, retry-after: 0.3`,
      `attempt 2: ${status}, after a delay of ${waited} ms`
    ]
  })

export const byTag = Effect.gen(function* () {
  const { messages } = yield* Anthropic.Anthropic
  return yield* messages.create(question("no-such-model", "Is anybody there?")).pipe(
    Effect.flatMap(unexpected("the API accepted an unknown model")),
    Effect.catchTags({
      NotFoundError: ({ message, requestId, type }) =>
        Effect.succeed([`NotFoundError: ${message}`, `type ${type}, request id ${requestId}`]),
      RateLimitError: ({ retryAfter }) => Effect.succeed([`RateLimitError: retry after ${retryAfter}`])
    })
  )
})

export const fallback = (api: LocalApi) =>
  Effect.gen(function* () {
    yield* api.inject(AnthropicApi.failure("overloaded_error"))
    const { messages } = yield* Anthropic.Anthropic
    const create = (model: string) => messages.create(question(model, "Is anybody there?"), noRetry)
    const reply = yield* create("claude-opus-5-5").pipe(
      Effect.catchTag("OverloadedError", () => create("claude-sonnet-5-5"))
    )
    yield* ensure(reply.model === "claude-sonnet-5-5", `${reply.model} replied`)
    return ["claude-opus-5-5 failed with an OverloadedError (529)", `${reply.model} replied instead`]
  })

export const invalidResponse = (api: LocalApi) =>
  Effect.gen(function* () {
    const content = [AnthropicApi.block({ type: "text", text: 42 })]
    yield* api.script(AnthropicApi.response(content, { message: { id: "msg_1" } }))
    const { messages } = yield* Anthropic.Anthropic
    return yield* messages.create(question(yield* model, "Send something invalid")).pipe(
      Effect.flatMap(unexpected("the client accepted an invalid response")),
      Effect.catchTag("ResponseValidationError", (error) =>
        Effect.succeed([
          `ResponseValidationError at ${error.path.join(".")}`,
          `the body starts with ${error.excerpt.slice(0, 60)}`
        ])
      )
    )
  })

export const newerApi = (api: LocalApi) =>
  Effect.gen(function* () {
    const hologram = AnthropicApi.block({ type: "hologram", depth: 3 })
    yield* api.script(
      AnthropicApi.response([hologram, AnthropicApi.text("Look!")], { stopReason: "vanished" })
    )
    const { messages } = yield* Anthropic.Anthropic
    const reply = yield* messages.create(question(yield* model, "Show me"))
    return [
      `blocks: ${reply.content.map(({ type }) => type).join(", ")}; stop reason: ${reply.stop_reason}`,
      `the known block decodes as usual: ${inspect(Message.text(reply))}`
    ]
  })

export const timeout = (api: LocalApi) =>
  Effect.gen(function* () {
    yield* api.inject(TestServer.never)
    const { messages } = yield* Anthropic.Anthropic
    const options = { ...noRetry, timeouts: { response: "100 millis" } } as const
    return yield* messages.create(question(yield* model, "Think about it"), options).pipe(
      Effect.flatMap(unexpected("a silent server responded")),
      Effect.catchTag("TimeoutError", (error) =>
        Effect.succeed([
          `TimeoutError in phase "${error.phase}" after ${Duration.format(error.limit)}`,
          `delivery "${error.delivery}": the server may have processed the request`
        ])
      )
    )
  })

export const interruption = (api: LocalApi) =>
  Effect.gen(function* () {
    yield* api.inject(TestServer.never)
    const before = yield* api.requestCount
    const { messages } = yield* Anthropic.Anthropic
    const fiber = yield* Effect.fork(messages.create(question(yield* model, "Never mind")))
    const request = yield* Effect.fromNullable((yield* api.awaitRequests(before + 1))[before])
    yield* Fiber.interrupt(fiber)
    const closedBy = yield* api.awaitClosed(request.index)
    yield* ensure(closedBy === "client", `the ${closedBy} closed the connection`)
    return ["interrupted the fiber while it waited for the response", `the ${closedBy} closed the connection`]
  })

export const attempts = (api: LocalApi) =>
  Effect.gen(function* () {
    const restarting = { error: { type: "api_error", message: "restarting" } }
    yield* api.inject(
      TestServer.json(restarting, { status: 503, headers: { "retry-after-ms": "100" } }),
      TestServer.reset,
      AnthropicApi.failure("api_error", { message: "out of order" })
    )
    const { messages } = yield* Anthropic.Anthropic
    const options = { retry: { maxRetries: 2, initialDelay: "50 millis" } } as const
    const error = yield* messages
      .create(question(yield* model, "Try hard"), options)
      .pipe(
        Effect.flatMap(unexpected("a failing server succeeded")),
        Effect.catchTag("InternalServerError", Effect.succeed)
      )
    yield* ensure(error.attempts.length === 3, `${error.attempts.length} attempts`)
    return [`${error._tag}: ${error.message}`, ...table(error.attempts, error.stoppedBy)]
  })

/** The attempts of a call, which every error has. */
const table = (attempts: ReadonlyArray<ApiError.Attempt>, stoppedBy: ApiError.StoppedBy): Lines => {
  const start = attempts[0]?.startedAt ?? 0
  const rows = attempts.map(({ delay, duration, startedAt, status, tag }, index) => [
    String(index + 1),
    `+${startedAt - start} ms`,
    `${Duration.toMillis(duration)} ms`,
    [status, tag].filter((part) => part !== undefined).join(" "),
    delay === undefined ? `stopped by: ${stoppedBy}` : `waited ${Math.ceil(Duration.toMillis(delay))} ms`
  ])
  const all = [["#", "started", "took", "outcome", "then"], ...rows]
  const width = (column: number) => Math.max(...all.map((row) => row[column]?.length ?? 0))
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(width(column)))
      .join("  ")
      .trimEnd()
  )
}
