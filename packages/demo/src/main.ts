/** Prints the demo. The exit code is 0 if no section failed. */
import { Cause, Console, Effect, Exit, Logger } from "effect"
import { demo } from "./program.js"
import type { Outcome } from "./Section.js"

const coloured = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined
const style = (code: number) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
const bold = style(1)
const dim = style(2)

const paint = { shown: (line: string) => line, "left out": dim, failed: style(31) }

/** Prints what the client logs among the lines of a section. */
const logger = Logger.make(({ message }) => console.log(dim(`  log: ${String(message)}`)))

const program = demo({
  start: (url, isLocal) =>
    Console.log(
      isLocal
        ? `${bold("effect-api")} on a local stand-in for the Anthropic API, ${url}\n` +
            dim("Set ANTHROPIC_API_KEY to use the real API, at a cost of a few hundred tokens.")
        : `${bold("effect-api")} on ${url}`
    ),
  section: ({ code, title }) => Console.log(`\n${bold(title)}\n${dim(`  > ${code}`)}`),
  write: (text) => Effect.sync(() => void process.stdout.write(text)),
  outcome: ({ lines, result }) => Console.log(lines.map((line) => `  ${paint[result](line)}`).join("\n"))
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
