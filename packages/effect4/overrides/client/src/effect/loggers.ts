/**
 * A function that takes what Effect's own logger would write. This module hides what a logger is given, and how levels are
 * written and compared.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"

export type Level = "debug" | "info" | "warn" | "error"

/** Takes a message as text, and its annotations if there are any. */
export type Write = (
  level: Level,
  text: string,
  annotations: Readonly<Record<string, unknown>> | undefined
) => void

const levels: Readonly<Record<Level, LogLevel.Severity>> = {
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error"
}

/** `Logger.layer` would drop a program's other loggers too. */
const replacing = (loggers: ReadonlyArray<Logger.Logger<unknown, unknown>>): Layer.Layer<never> =>
  Layer.effect(
    Logger.CurrentLoggers,
    Effect.map(Logger.CurrentLoggers, (current) => {
      const others = Array.from(current).filter((logger) => logger !== Logger.defaultLogger)
      return new Set([...others, ...loggers])
    })
  )

/** Removes Effect's own logger. */
export const silent: Layer.Layer<never> = /*#__PURE__*/ replacing([])

/** Replaces Effect's own logger, for messages of a level or above. */
export const writingTo = (write: Write, lowest: Level): Layer.Layer<never> => {
  const logger = Logger.make(({ fiber, logLevel, message }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    write(
      levelOf(logLevel),
      Arr.ensure(message)
        .map((part) => Inspectable.toStringUnknown(part, 0))
        .join(" "),
      Object.keys(annotations).length === 0 ? undefined : annotations
    )
  })
  return Layer.merge(replacing([logger]), Layer.succeed(References.MinimumLogLevel, levels[lowest]))
}

const levelOf = (level: LogLevel.LogLevel): Level => {
  switch (level) {
    case "All":
    case "Trace":
    case "Debug":
      return "debug"
    case "Info":
      return "info"
    case "Warn":
      return "warn"
    default:
      return "error"
  }
}
