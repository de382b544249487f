/** What the demo is made of: sections that each show one thing, or fail to. */
import type { Anthropic } from "@effect-api/anthropic"
import { ApiConfig } from "@effect-api/client"
import type { AnthropicApi } from "@effect-api/testing"
import { Cause, Config, type ConfigError, Context, Data, Effect, Option } from "effect"

/** The API of the demo's own, where it is not shown on the real one. */
export type OwnApi = AnthropicApi.AnthropicApi

/** One thing to show. It gives the lines to print. */
export interface Section {
  readonly title: string
  readonly show: (api: Option.Option<OwnApi>) => Show
}

/** How a section shows what it shows. */
export type Show = Effect.Effect<Lines, unknown, Anthropic.Anthropic | Screen>

/** Where text goes that cannot wait for the end of its section. */
export class Screen extends Context.Tag("Screen")<
  Screen,
  { readonly write: (text: string) => Effect.Effect<void> }
>() {}

/** The text of a section, line by line. */
export type Lines = ReadonlyArray<string>

/** What became of a section. */
export interface Outcome {
  readonly title: string
  readonly result: "shown" | "left out" | "failed"
  readonly lines: Lines
}

/** The model that is asked: what `ANTHROPIC_MODEL` names, or a small and quick one. */
export const model: Effect.Effect<string, ConfigError.ConfigError> = ApiConfig.blankAsMissing(
  Config.withDefault(Config.string("ANTHROPIC_MODEL"), "claude-haiku-5-5")
)

/** A question as the parameters of a message. */
export const question = (model: string, content: string) => ({
  model,
  max_tokens: 1024,
  messages: [{ role: "user" as const, content }]
})

/** A section did not show what it must. */
export class NotShown extends Data.TaggedError("NotShown")<{ readonly message: string }> {}

/** A section is not for the API it was given. The demo's own can show everything. */
class LeftOut extends Data.TaggedError("LeftOut")<{ readonly message: string }> {}

/** A section that the real API can show too. */
export const anywhere = (title: string, show: Show | Section["show"]): Section => ({
  title,
  show: Effect.isEffect(show) ? () => show : show
})

/** A section that only the demo's own API can show, and why. */
export const onOwnApi = (title: string, reason: string, show: (api: OwnApi) => Show): Section => ({
  title,
  show: Option.match({ onNone: () => new LeftOut({ message: reason }), onSome: show })
})

/** A section that needs something to go wrong. */
export const withFault = (title: string, show: (api: OwnApi) => Show): Section =>
  onOwnApi(title, "it needs a fault on demand", show)

/** Tells the demo's own API what to say; the real one knows by itself. */
export const scripted = (
  api: Option.Option<OwnApi>,
  ...steps: ReadonlyArray<AnthropicApi.Step>
): Effect.Effect<void> => (Option.isSome(api) ? api.value.script(...steps) : Effect.void)

/** What a section must show, or it has failed. */
export const must = (holds: boolean, message: string): Effect.Effect<void, NotShown> =>
  holds ? Effect.void : new NotShown({ message })

/** What must not succeed. */
export const succeeded = (message: string) => (): Effect.Effect<never, NotShown> => new NotShown({ message })

/** Runs a section. It fails rather than hang or break off. */
export const run = (
  { show, title }: Section,
  api: Option.Option<OwnApi>
): Effect.Effect<Outcome, never, Anthropic.Anthropic | Screen> =>
  show(api).pipe(
    Effect.timeoutFail({
      duration: "1 minute",
      onTimeout: () => new NotShown({ message: "nothing after a minute" })
    }),
    Effect.map((lines): Outcome => ({ title, result: "shown", lines })),
    Effect.catchIf(
      (error): error is LeftOut => error instanceof LeftOut,
      (error) => Effect.succeed<Outcome>({ title, result: "left out", lines: [`left out: ${error.message}`] })
    ),
    Effect.catchAllCause((cause) =>
      Effect.succeed<Outcome>({ title, result: "failed", lines: Cause.pretty(cause).split("\n") })
    )
  )
