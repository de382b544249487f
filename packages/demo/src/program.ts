/** The demo: the features of the client, section by section. */
import { Anthropic } from "@effect-api/anthropic"
import { ApiConfig } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { AnthropicApi } from "@effect-api/testing"
import { Config, type ConfigError, Effect, Layer, Option, Redacted } from "effect"
import {
  attempts,
  byTag,
  fallback,
  interruption,
  invalidResponse,
  newerApi,
  retryAfter,
  timeout
} from "./faults.js"
import { message, tokenByToken, tools } from "./messages.js"
import { promises } from "./promises.js"
import { batch, files, ownRequest, pages, secret } from "./resources.js"
import { anywhere, locally, model, type Outcome, run, Screen, type Section, withFault } from "./Section.js"
import { overloaded, truncated } from "./streams.js"

/** The sections, in order. */
export const sections: ReadonlyArray<Section> = [
  anywhere("Create a message", "messages.create(params)", message),
  anywhere(
    "Stream a message token by token",
    "messages.stream(params).pipe(MessageStream.accumulate)",
    tokenByToken
  ),
  anywhere(
    "Run tools until the model is done",
    "ToolRunner.run(messages, params, { tools: [weather] })",
    tools
  ),
  withFault(
    "Retry a 529 after the delay of its retry-after header",
    "messages.create(params) // retries by default",
    retryAfter
  ),
  anywhere("Recover from an error by its tag", "Effect.catchTags({ NotFoundError: (error) => ... })", byTag),
  withFault(
    "Fall back to another model if one is overloaded",
    'Effect.catchTag("OverloadedError", () => create("claude-sonnet-5-5"))',
    fallback
  ),
  withFault(
    "Reject a response that does not match its schema",
    'Effect.catchTag("ResponseValidationError", ({ path }) => ...)',
    invalidResponse
  ),
  withFault("Accept blocks and values that are newer than the client", "messages.create(params)", newerApi),
  withFault(
    "Limit the wait for a response",
    'messages.create(params, { timeouts: { response: "100 millis" } })',
    timeout
  ),
  withFault("Interrupt a request", "Fiber.interrupt(fiber)", interruption),
  withFault(
    "See all attempts of a failed call",
    'Effect.catchTag("InternalServerError", ({ attempts }) => ...)',
    attempts
  ),
  withFault(
    "Detect a truncated stream",
    'Effect.catchTag("StreamTruncatedError", ({ received }) => ...)',
    truncated
  ),
  withFault(
    "Handle an error in the middle of a stream",
    "MessageStream.finalMessage(messages.stream(params))",
    overloaded
  ),
  anywhere("List models page by page", "models.list({ limit: 2 })", pages),
  locally(
    "Process a batch",
    "batches.create({ requests }), batches.untilEnded(id), batches.results(id)",
    "it may take a day",
    batch
  ),
  anywhere("Upload and download files", "files.upload({ file }), files.download(id)", files),
  anywhere(
    "Send your own request on the same client",
    'client.execute(ApiRequest.get("/v1/models/{id}", { success: Model, ... }))',
    ownRequest
  ),
  anywhere("Keep a secret out of a printed error", "query: { invitation: Redacted.make(token) }", secret),
  withFault("Use promises instead of Effect", "AnthropicPromise.make({ apiKey })", promises)
]

/** The models of the local API, besides the chosen one. */
const models = [
  "claude-opus-5-5",
  "claude-sonnet-5-5",
  "claude-haiku-5-5",
  "claude-opus-5",
  "claude-sonnet-5"
]

const localApi = Effect.flatMap(model, (model) =>
  AnthropicApi.make({
    models: [...new Set([...models, model])],
    // A delay between words makes the streaming visible.
    script: ({ text }) => AnthropicApi.response(`You said: ${text}`, { delay: "20 millis" })
  })
)

const isSet = (name: string) =>
  Effect.map(ApiConfig.blankAsMissing(Config.option(Config.redacted(name))), Option.isSome)

/** The real API if there is a key for it, otherwise the local one. */
const target = Effect.gen(function* () {
  if (yield* isSet("ANTHROPIC_API_KEY")) {
    const client = Layer.provide(Anthropic.layerConfig(), NodeTransport.layer)
    const url = yield* ApiConfig.blankAsMissing(
      Config.withDefault(Config.string("ANTHROPIC_BASE_URL"), "https://api.anthropic.com")
    )
    // The origin contains no secret. The client rejects an invalid URL.
    return { url: URL.canParse(url) ? new URL(url).origin : "", api: Option.none(), client }
  }
  const api = yield* localApi
  const client = Anthropic.layer({ apiKey: Redacted.make("demo-key"), baseUrl: api.url })
  return { url: api.url, api: Option.some(api), client: Layer.provide(client, NodeTransport.layer) }
})

/** Reports the progress of the demo. */
export interface Reporter {
  /** The demo starts on the local or the real API. */
  readonly start: (url: string, isLocal: boolean) => Effect.Effect<void>
  /** A section starts. */
  readonly section: (section: Section) => Effect.Effect<void>
  /** A section prints text before its end. */
  readonly write: (text: string) => Effect.Effect<void>
  /** A section ended. */
  readonly outcome: (outcome: Outcome) => Effect.Effect<void>
}

/** Runs every section in order. */
export const demo = (
  reporter: Reporter
): Effect.Effect<ReadonlyArray<Outcome>, ConfigError.ConfigError | ApiConfig.InvalidConfigError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { api, client, url } = yield* target
      yield* reporter.start(url, Option.isSome(api))
      return yield* Effect.forEach(sections, (section) =>
        reporter.section(section).pipe(Effect.zipRight(run(section, api)), Effect.tap(reporter.outcome))
      ).pipe(Effect.provideService(Screen, { write: reporter.write }), Effect.provide(client))
    })
  )
