/**
 * What the demo is made of: sections that each show one thing, or fail to.
 *
 * @since 0.1.0
 */
import type { ApiClient } from "@effect-api/client"
import { Cause, Data, Effect, Option } from "effect"
import type { DemoServer } from "./server.js"

/** One thing to show. It gives the lines to print, none where it needs a server of the demo's own and has none. */
export interface Section {
  readonly title: string
  readonly show: (
    server: Option.Option<DemoServer>
  ) => Effect.Effect<Option.Option<Lines>, unknown, ApiClient.ApiClient>
}

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

/** A section that every server of this API can show. */
export const anywhere = (
  title: string,
  show: Effect.Effect<Lines, unknown, ApiClient.ApiClient>
): Section => ({ title, show: () => Effect.asSome(show) })

/** A section that needs a fault on demand, and so the demo's own server. */
export const withFault = (
  title: string,
  show: (server: DemoServer) => Effect.Effect<Lines, unknown, ApiClient.ApiClient>
): Section => ({
  title,
  show: Option.match({ onNone: () => Effect.succeedNone, onSome: (server) => Effect.asSome(show(server)) })
})

/** What a section must show, or it has failed. */
export const must = (holds: boolean, message: string): Effect.Effect<void, NotShown> =>
  holds ? Effect.void : new NotShown({ message })

/** Runs a section. It fails rather than hang or break off. */
export const run = (
  section: Section,
  server: Option.Option<DemoServer>
): Effect.Effect<Outcome, never, ApiClient.ApiClient> => {
  const { title } = section
  return section.show(server).pipe(
    Effect.timeoutFail({
      duration: "1 minute",
      onTimeout: () => new NotShown({ message: "nothing after a minute" })
    }),
    Effect.map(
      Option.match({
        onNone: (): Outcome => ({
          title,
          result: "left out",
          lines: ["left out: it needs a fault on demand"]
        }),
        onSome: (lines): Outcome => ({ title, result: "shown", lines })
      })
    ),
    Effect.catchAllCause((cause) =>
      Effect.succeed<Outcome>({ title, result: "failed", lines: Cause.pretty(cause).split("\n") })
    )
  )
}
