/** Sections: the parts of the demo. Each one shows a feature, or fails. */
import type { Anthropic } from "@effect-api/anthropic"
import { ApiConfig } from "@effect-api/client"
import type { AnthropicApi } from "@effect-api/testing"
import { Cause, Config, type ConfigError, Context, Data, Effect, Option } from "effect"

/** The local API, which the demo uses without a key. */
export type LocalApi = AnthropicApi.AnthropicApi

/** A section of the demo. */
export interface Section {
  readonly title: string
  /** The main line of its code, which the demo prints below the title. */
  readonly code: string
  readonly show: (api: Option.Option<LocalApi>) => Show
}

/** Runs a section and returns the lines to print. */
export type Show = Effect.Effect<Lines, unknown, Anthropic.Anthropic | Screen>

/** Prints text before the end of a section. */
export class Screen extends Context.Tag("Screen")<
  Screen,
  { readonly write: (text: string) => Effect.Effect<void> }
>() {}

/** The text of a section, line by line. */
export type Lines = ReadonlyArray<string>

/** The outcome of a section. */
export interface Outcome {
  readonly title: string
  readonly result: "shown" | "left out" | "failed"
  readonly lines: Lines
}

/** The model that `ANTHROPIC_MODEL` names, or a small and fast one. */
export const model: Effect.Effect<string, ConfigError.ConfigError> = ApiConfig.blankAsMissing(
  Config.withDefault(Config.string("ANTHROPIC_MODEL"), "claude-haiku-5-5")
)

/** The parameters of a message with one question. */
export const question = (model: string, content: string) => ({
  model,
  max_tokens: 1024,
  messages: [{ role: "user" as const, content }]
})

/** A section did not behave as expected. */
export class SectionFailed extends Data.TaggedError("SectionFailed")<{ readonly message: string }> {}

/** A section does not run on the real API. */
class LeftOut extends Data.TaggedError("LeftOut")<{ readonly message: string }> {}

/** A section that runs on the local and on the real API. */
export const anywhere = (title: string, code: string, show: Show | Section["show"]): Section => ({
  title,
  code,
  show: Effect.isEffect(show) ? () => show : show
})

/** A section that runs on the local API only, for the given reason. */
export const locally = (
  title: string,
  code: string,
  reason: string,
  show: (api: LocalApi) => Show
): Section => ({
  title,
  code,
  show: Option.match({ onNone: () => new LeftOut({ message: reason }), onSome: show })
})

/** A section that injects a fault, which needs the local API. */
export const withFault = (title: string, code: string, show: (api: LocalApi) => Show): Section =>
  locally(title, code, "it needs a fault on demand", show)

/** Scripts the local API. The real one needs no script. */
export const scripted = (
  api: Option.Option<LocalApi>,
  ...steps: ReadonlyArray<AnthropicApi.Step>
): Effect.Effect<void> => (Option.isSome(api) ? api.value.script(...steps) : Effect.void)

/** Fails the section unless the condition holds. */
export const ensure = (condition: boolean, message: string): Effect.Effect<void, SectionFailed> =>
  condition ? Effect.void : new SectionFailed({ message })

/** Fails the section because a call succeeded. */
export const unexpected = (message: string) => (): Effect.Effect<never, SectionFailed> =>
  new SectionFailed({ message })

/** Runs a section. A section that hangs or fails becomes a failed outcome. */
export const run = (
  { show, title }: Section,
  api: Option.Option<LocalApi>
): Effect.Effect<Outcome, never, Anthropic.Anthropic | Screen> =>
  show(api).pipe(
    Effect.timeoutFail({
      duration: "1 minute",
      onTimeout: () => new SectionFailed({ message: "no result after a minute" })
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
