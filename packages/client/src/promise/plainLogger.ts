/** Logging for plain async code: to an object like `console`, or nowhere. */
import type * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Loggers from "../effect/loggers.js"

/** A logger. `console` is one, and so are the loggers of most libraries. */
export interface PlainLogger {
  readonly debug: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly info: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly warn: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly error: (message: string, fields?: Readonly<Record<string, unknown>>) => void
}

/** The levels, lowest first. */
export const plainLevels: ReadonlyArray<string> = [
  "debug",
  "info",
  "warn",
  "error"
] satisfies Array<Loggers.Level>

export const isPlainLogger = (u: unknown): u is PlainLogger =>
  plainLevels.every((level) => Predicate.hasProperty(u, level) && typeof u[level] === "function")

/** Replaces Effect's own logger, which writes to standard output: a program may print its results there. */
export const layer = (logger: PlainLogger | undefined, level: Loggers.Level = "info"): Layer.Layer<never> =>
  logger === undefined
    ? Loggers.silent
    : Loggers.writingTo((level, text, annotations) => {
        const fields = annotations === undefined ? [] : [annotations]
        try {
          logger[level](text, ...fields)
        } catch {
          // A logger that throws must not fail a call.
        }
      }, level)
