/** The demo: what the client of the Anthropic API does, one section after another. */
import { Anthropic } from "@effect-api/anthropic"
import { ApiConfig } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { AnthropicApi } from "@effect-api/testing"
import { Config, type ConfigError, Effect, Layer, Option, Redacted } from "effect"
import { byTag, fallback, interruption, ledger, misfit, ofTomorrow, retryAfter, timeout } from "./faults.js"
import { message, tokenByToken, tools } from "./messages.js"
import { promises } from "./promises.js"
import { batch, files, ownRequest, pages, secret } from "./resources.js"
import { anywhere, model, type Outcome, onOwnApi, run, Screen, type Section, withFault } from "./Section.js"
import { overloaded, truncated } from "./streams.js"

/** The sections, in the order in which they are shown. */
export const sections: ReadonlyArray<Section> = [
  anywhere("A message", message),
  anywhere("A streamed answer, token by token", tokenByToken),
  anywhere("Tools, run until the answer is there", tools),
  withFault("A 529 that says when to come back", retryAfter),
  anywhere("An error, recovered by its tag", byTag),
  withFault("An overloaded model, replaced by another", fallback),
  withFault("An answer that does not fit its schema", misfit),
  withFault("An answer of an API that has moved on", ofTomorrow),
  withFault("A timeout", timeout),
  withFault("An interruption", interruption),
  withFault("The ledger of attempts", ledger),
  withFault("A stream that is cut off", truncated),
  withFault("An error in the middle of a stream", overloaded),
  anywhere("A walk over pages", pages),
  onOwnApi("A batch and its results", "it may take a day", batch),
  anywhere("Files", files),
  anywhere("A request of one's own, on the same client", ownRequest),
  anywhere("A secret in an error that is printed", secret),
  withFault("Plain async code", promises)
]

/** What the demo's own API offers, besides the model that is asked. */
const offered = [
  "claude-opus-5-5",
  "claude-sonnet-5-5",
  "claude-haiku-5-5",
  "claude-opus-5",
  "claude-sonnet-5"
]

const ownApi = Effect.flatMap(model, (model) =>
  AnthropicApi.make({
    models: [...new Set([...offered, model])],
    // A moment between two words, so that a stream can be seen to be one.
    script: ({ text }) => AnthropicApi.response(`You said: ${text}`, { delay: "20 millis" })
  })
)

const isSet = (name: string) =>
  Effect.map(ApiConfig.blankAsMissing(Config.option(Config.redacted(name))), Option.isSome)

/** Where the demo runs: on the real API if there is a key to it, else on one of its own. */
const stage = Effect.gen(function* () {
  if (yield* isSet("ANTHROPIC_API_KEY")) {
    const client = Layer.provide(Anthropic.layerConfig(), NodeTransport.layer)
    const url = yield* ApiConfig.blankAsMissing(
      Config.withDefault(Config.string("ANTHROPIC_BASE_URL"), "https://api.anthropic.com")
    )
    // Of the URL what holds no secret; one that is none the client refuses.
    return { url: URL.canParse(url) ? new URL(url).origin : "", api: Option.none(), client }
  }
  const api = yield* ownApi
  const client = Anthropic.layer({ apiKey: Redacted.make("demo-key"), baseUrl: api.url })
  return { url: api.url, api: Option.some(api), client: Layer.provide(client, NodeTransport.layer) }
})

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
      const { api, client, url } = yield* stage
      yield* tell.server(url)
      return yield* Effect.forEach(sections, (section) =>
        tell.begins(section).pipe(Effect.zipRight(run(section, api)), Effect.tap(tell.ended))
      ).pipe(Effect.provideService(Screen, { write: tell.writes }), Effect.provide(client))
    })
  )
