/**
 * The demo: what the client does, one section after another.
 *
 * @since 0.1.0
 */
import { inspect } from "node:util"
import { FetchHttpClient } from "@effect/platform"
import { ApiClient, ApiConfig, ApiError, ApiRequest, Credentials, RetryPolicy } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Config, type ConfigError, Duration, Effect, Fiber, Layer, Option, Redacted } from "effect"
import { ask, getModel, listModels, Model } from "./Messages.js"
import { promises } from "./promises.js"
import {
  anywhere,
  type Lines,
  must,
  NotShown,
  type Outcome,
  run,
  Screen,
  type Section,
  withFault
} from "./Section.js"
import * as DemoServer from "./server.js"
import { overloaded, pages, tokenByToken, truncated } from "./streams.js"

const typedRequest = Effect.gen(function* () {
  const { data } = yield* ApiClient.execute(listModels)
  const model = yield* Effect.fromNullable(data[0])
  const message = yield* ApiClient.execute(ask(model.id, "Good morning!"))
  return [
    `GET /v1/models gives a ModelList: ${data.map(({ id }) => id).join(", ")}`,
    `POST /v1/messages gives a Message: ${inspect(message.text)}, ${message.usage.outputTokens} tokens`
  ]
})

const retryAfter = (server: DemoServer.DemoServer) =>
  Effect.gen(function* () {
    yield* server.script(
      DemoServer.refusal(429, "rate_limit_error", "slow down", { "retry-after-ms": "300" })
    )
    const { attempts, status } = yield* ApiClient.executeWithResponse(ask("demo-large", "Quick!"))
    const [refused, answered] = attempts
    if (refused === undefined || answered === undefined) return yield* new NotShown({ message: "no retry" })
    const waited = answered.startedAt - refused.startedAt - Duration.toMillis(refused.duration)
    // Timers and clocks round differently, by a millisecond.
    yield* must(waited >= 299, `waited ${waited} ms only`)
    return [
      `answered ${refused.status} (${refused.tag}) with retry-after-ms: 300`,
      `waited ${waited} ms, asked again, answered ${status}`
    ]
  })

const ownError = ApiClient.execute(getModel("no-such-model")).pipe(
  Effect.flatMap(() => new NotShown({ message: "the server has a model of every name" })),
  Effect.catchTags({
    ModelMissing: (error) =>
      Effect.succeed([`404 is a ModelMissing, an error of our own: ${error.message}`, "caught by its tag"]),
    // Where the body of a 404 does not fit ours.
    NotFoundError: (error) =>
      Effect.succeed([`404 is a NotFoundError: ${error.message}`, "caught by its tag"])
  })
)

const fallback = (server: DemoServer.DemoServer) =>
  Effect.gen(function* () {
    yield* server.script(DemoServer.refusal(529, "overloaded_error", "too many users"))
    const message = yield* ApiClient.execute(
      ask("demo-large", "Anybody there?").pipe(ApiRequest.override({ retry: RetryPolicy.none }))
    ).pipe(Effect.catchTag("OverloadedError", () => ApiClient.execute(ask("demo-small", "Anybody there?"))))
    yield* must(message.model === "demo-small", `${message.model} answered`)
    return ["demo-large is overloaded (529, an OverloadedError)", `${message.model} answers in its place`]
  })

const misfit = (server: DemoServer.DemoServer) =>
  Effect.gen(function* () {
    const content = [{ type: "text", text: 42 }]
    yield* server.script(TestServer.json({ id: "msg_1", model: "demo-large", content, usage: {} }))
    return yield* ApiClient.execute(ask("demo-large", "Say something odd")).pipe(
      Effect.flatMap(() => new NotShown({ message: "the answer was let through" })),
      Effect.catchTag("ResponseValidationError", (error) =>
        Effect.succeed([`does not fit at ${error.path.join(".")}`, `the answer began: ${error.excerpt}`])
      )
    )
  })

const timeout = (server: DemoServer.DemoServer) =>
  Effect.gen(function* () {
    yield* server.script(TestServer.never)
    const impatient = ApiRequest.override({ timeouts: { response: "100 millis" }, retry: RetryPolicy.none })
    return yield* ApiClient.execute(ask("demo-large", "Think about it").pipe(impatient)).pipe(
      Effect.flatMap(() => new NotShown({ message: "a server that is silent answered" })),
      Effect.catchTag("TimeoutError", (error) =>
        Effect.succeed([
          `TimeoutError in phase "${error.phase}" after ${Duration.format(error.limit)}`,
          `what the server did is unknown: delivery is "${error.delivery}"`
        ])
      )
    )
  })

const interruption = (server: DemoServer.DemoServer) =>
  Effect.gen(function* () {
    yield* server.script(TestServer.never)
    const before = yield* server.seen.requestCount
    const fiber = yield* Effect.fork(ApiClient.execute(ask("demo-large", "Never mind")))
    const request = yield* Effect.fromNullable((yield* server.seen.awaitRequests(before + 1))[before])
    yield* Fiber.interrupt(fiber)
    const closedBy = yield* server.seen.awaitClosed(request.index)
    yield* must(closedBy === "client", `the ${closedBy} closed the socket`)
    return ["interrupted while waiting for an answer", `the server saw the ${closedBy} close the socket`]
  })

const ledger = (server: DemoServer.DemoServer) =>
  Effect.gen(function* () {
    yield* server.script(
      DemoServer.refusal(503, "api_error", "restarting", { "retry-after-ms": "100" }),
      TestServer.reset,
      DemoServer.refusal(500, "api_error", "out of order")
    )
    const quick = ApiRequest.override({ retry: { maxRetries: 2, initialDelay: "50 millis" } })
    const error = yield* ApiClient.execute(ask("demo-large", "Try hard").pipe(quick)).pipe(
      Effect.flatMap(() => new NotShown({ message: "a server that is down answered" })),
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

const secret = Effect.gen(function* () {
  const token = "tok-4711-keep-me-hidden"
  const request = ApiRequest.get("/v1/models/{id}", {
    path: { id: "no-such-model" },
    query: { invitation: Redacted.make(token) },
    success: Model
  })
  const error = yield* ApiClient.execute(request).pipe(
    Effect.flatMap(() => new NotShown({ message: "the server has a model of every name" })),
    Effect.catchIf(ApiError.isStatusError, Effect.succeed)
  )
  const printed = [inspect(error, { depth: null }), JSON.stringify(error), String(error), error.stack]
  yield* must(!printed.some((text) => text?.includes(token)), "the secret was printed")
  return [`the request:  ${error.request.url}`, `the answer:   ${error.message}`]
})

/** The sections, in the order in which they are shown. */
export const sections: ReadonlyArray<Section> = [
  anywhere("A typed request", typedRequest),
  withFault("A 429 that says when to come back", retryAfter),
  anywhere("An error of one's own, recovered by its tag", ownError),
  withFault("An overloaded model, replaced by another", fallback),
  withFault("An answer that does not fit its schema", misfit),
  withFault("A timeout", timeout),
  withFault("An interruption", interruption),
  withFault("The ledger of attempts", ledger),
  anywhere("A secret in an error that is printed", secret),
  anywhere("A streamed answer, token by token", tokenByToken),
  withFault("A stream that is cut off", truncated),
  withFault("An error in the middle of a stream", overloaded),
  anywhere("A walk over pages", pages),
  withFault("Plain async code", promises)
]

/** Where the demo runs: the server that `API_BASE_URL` names, else one of its own. */
const target = Effect.gen(function* () {
  const given = yield* ApiConfig.ignoreBlank(Config.option(Config.string("API_BASE_URL")))
  if (Option.isSome(given)) return { url: given.value, server: Option.none() }
  const server = yield* DemoServer.make
  return { url: server.url, server: Option.some(server) }
})

/** A client of the API at this URL. `API_KEY` is its key; the demo's own server takes any. */
const client = (baseUrl: string) =>
  ApiClient.layerConfig({
    baseUrl: Config.succeed(baseUrl),
    credentials: Config.redacted("API_KEY").pipe(
      Config.withDefault(Redacted.make("demo-key")),
      Config.map((key) => Credentials.header("x-api-key", key))
    )
  }).pipe(Layer.provide(FetchHttpClient.layer))

/** Who is told of what happens. */
export interface Audience {
  readonly server: (url: string) => Effect.Effect<void>
  readonly begins: (section: Section) => Effect.Effect<void>
  readonly ended: (outcome: Outcome) => Effect.Effect<void>
  /** Text of a section that is on its way. */
  readonly writes: (text: string) => Effect.Effect<void>
}

/** Runs every section, one after another. */
export const demo = (
  tell: Audience
): Effect.Effect<ReadonlyArray<Outcome>, ConfigError.ConfigError | ApiConfig.InvalidConfigError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { server, url } = yield* target
      yield* tell.server(url)
      return yield* Effect.forEach(sections, (section) =>
        tell.begins(section).pipe(Effect.zipRight(run(section, server)), Effect.tap(tell.ended))
      ).pipe(Effect.provideService(Screen, { write: tell.writes }), Effect.provide(client(url)))
    })
  )
