/**
 * A function that takes what Effect's own logger would write. This module hides what a logger is given, and how levels are
 * written and compared.
 */
import * as Arr from "effect/Array"
import * as HashMap from "effect/HashMap"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"

export type Level = "debug" | "info" | "warn" | "error"

/** Takes a message as text, and its annotations if there are any. */
export type Write = (
  level: Level,
  text: string,
  annotations: Readonly<Record<string, unknown>> | undefined
) => void

const levels: Readonly<Record<Level, LogLevel.LogLevel>> = {
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warn: LogLevel.Warning,
  error: LogLevel.Error
}

/** Removes Effect's own logger. */
export const silent: Layer.Layer<never> = /*#__PURE__*/ Logger.remove(Logger.defaultLogger)

/** Replaces Effect's own logger, for messages of a level or above. */
export const writingTo = (write: Write, lowest: Level): Layer.Layer<never> => {
  const logger = Logger.make(({ annotations, logLevel, message }) =>
    write(
      levelOf(logLevel),
      Arr.ensure(message)
        .map((part) => Inspectable.toStringUnknown(part, 0))
        .join(" "),
      HashMap.isEmpty(annotations) ? undefined : Object.fromEntries(annotations)
    )
  )
  return Layer.merge(Logger.replace(Logger.defaultLogger, logger), Logger.minimumLogLevel(levels[lowest]))
}

const levelOf = ({ ordinal }: LogLevel.LogLevel): Level => {
  if (ordinal < LogLevel.Info.ordinal) return "debug"
  if (ordinal < LogLevel.Warning.ordinal) return "info"
  return ordinal < LogLevel.Error.ordinal ? "warn" : "error"
}
