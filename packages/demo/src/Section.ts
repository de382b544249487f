/**
 * What the demo is made of: sections that each show one thing, or fail to.
 *
 * @since 0.1.0
 */
import type { ApiClient } from "@effect-api/client"
import { Cause, Context, Data, Effect, Option } from "effect"
import type { DemoServer } from "./server.js"

/** One thing to show. It gives the lines to print. */
export interface Section {
  readonly title: string
  readonly show: (server: Option.Option<DemoServer>) => Show
}

/** How a section shows what it shows. */
export type Show = Effect.Effect<Lines, unknown, ApiClient.ApiClient | Screen>

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

/** A section did not show what it must. */
export class NotShown extends Data.TaggedError("NotShown")<{ readonly message: string }> {}

/** A section is not for the server it was given. The demo's own can show everything. */
export class LeftOut extends Data.TaggedError("LeftOut")<{ readonly message: string }> {}

/** A section that every server of this API can show. */
export const anywhere = (title: string, show: Show): Section => ({ title, show: () => show })

/** A section that needs a fault on demand, and so the demo's own server. */
export const withFault = (title: string, show: (server: DemoServer) => Show): Section => ({
  title,
  show: Option.match({ onNone: () => new LeftOut({ message: "it needs a fault on demand" }), onSome: show })
})

/** What a section must show, or it has failed. */
export const must = (holds: boolean, message: string): Effect.Effect<void, NotShown> =>
  holds ? Effect.void : new NotShown({ message })

/** Runs a section. It fails rather than hang or break off. */
export const run = (
  { show, title }: Section,
  server: Option.Option<DemoServer>
): Effect.Effect<Outcome, never, ApiClient.ApiClient | Screen> =>
  show(server).pipe(
    Effect.timeoutFail({
      duration: "1 minute",
      onTimeout: () => new NotShown({ message: "nothing after a minute" })
    }),
    Effect.map((lines): Outcome => ({ title, result: "shown", lines })),
    Effect.catchIf(
      (error): error is LeftOut => error instanceof LeftOut && Option.isNone(server),
      (error) => Effect.succeed<Outcome>({ title, result: "left out", lines: [`left out: ${error.message}`] })
    ),
    Effect.catchAllCause((cause) =>
      Effect.succeed<Outcome>({ title, result: "failed", lines: Cause.pretty(cause).split("\n") })
    )
  )
