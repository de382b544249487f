/** Logging for plain async code: to an object like `console`, or nowhere. */
import * as Arr from "effect/Array"
import * as HashMap from "effect/HashMap"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Predicate from "effect/Predicate"

/** A logger. `console` is one, and so are the loggers of most libraries. */
export interface PlainLogger {
  readonly debug: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly info: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly warn: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly error: (message: string, fields?: Readonly<Record<string, unknown>>) => void
}

/** The lowest level to log. */
export type PlainLevel = "debug" | "info" | "warn" | "error"

const levels: Readonly<Record<PlainLevel, LogLevel.LogLevel>> = {
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warn: LogLevel.Warning,
  error: LogLevel.Error
}

/** The levels, lowest first. */
export const plainLevels: ReadonlyArray<string> = Object.keys(levels)

export const isPlainLogger = (u: unknown): u is PlainLogger =>
  plainLevels.every((level) => Predicate.hasProperty(u, level) && typeof u[level] === "function")

/** Replaces Effect's own logger, which writes to standard output: a program may print its results there. */
export const layer = (logger: PlainLogger | undefined, level: PlainLevel = "info"): Layer.Layer<never> =>
  logger === undefined
    ? Logger.remove(Logger.defaultLogger)
    : Layer.merge(
        Logger.replace(Logger.defaultLogger, writingTo(logger)),
        Logger.minimumLogLevel(levels[level])
      )

const writingTo = (logger: PlainLogger): Logger.Logger<unknown, void> =>
  Logger.make(({ annotations, logLevel, message }) => {
    const text = Arr.ensure(message)
      .map((part) => Inspectable.toStringUnknown(part, 0))
      .join(" ")
    const fields = HashMap.isEmpty(annotations) ? [] : [Object.fromEntries(annotations)]
    try {
      logger[levelOf(logLevel)](text, ...fields)
    } catch {
      // A logger that throws must not fail a call.
    }
  })

const levelOf = ({ ordinal }: LogLevel.LogLevel): PlainLevel => {
  if (ordinal < LogLevel.Info.ordinal) return "debug"
  if (ordinal < LogLevel.Warning.ordinal) return "info"
  return ordinal < LogLevel.Error.ordinal ? "warn" : "error"
}
