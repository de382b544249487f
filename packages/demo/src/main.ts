/** Prints the demo. The exit code says whether every section has shown what it must. */
import { Cause, Console, Effect, Exit, Logger } from "effect"
import { demo } from "./program.js"
import type { Outcome } from "./Section.js"

const coloured = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined
const style = (code: number) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
const bold = style(1)
const dim = style(2)

const paint = { shown: (line: string) => line, "left out": style(2), failed: style(31) }

/** What the client logs stands among the lines of a section. */
const logger = Logger.make(({ message }) => console.log(dim(`  (log) ${String(message)}`)))

const program = demo({
  server: (url) => Console.log(`${bold("effect-api")} on ${url}`),
  begins: ({ title }) => Console.log(`\n${bold(title)}`),
  writes: (text) => Effect.sync(() => void process.stdout.write(text)),
  ended: ({ lines, result }) => Console.log(lines.map((line) => `  ${paint[result](line)}`).join("\n"))
}).pipe(
  Effect.tap((outcomes) => {
    const count = (result: Outcome["result"]) =>
      outcomes.filter((outcome) => outcome.result === result).length
    return Console.log(
      bold(`\n${count("shown")} shown, ${count("left out")} left out, ${count("failed")} failed`)
    )
  }),
  Effect.provide(Logger.replace(Logger.defaultLogger, logger))
)

const exit = await Effect.runPromiseExit(program)
if (Exit.isFailure(exit)) console.error(paint.failed(Cause.pretty(exit.cause)))
process.exitCode = Exit.isSuccess(exit) && exit.value.every(({ result }) => result !== "failed") ? 0 : 1
