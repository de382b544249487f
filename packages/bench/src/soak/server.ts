/** A server's process, seen from the soak. */
import { type ChildProcess, fork } from "node:child_process"
import { Effect, type Scope } from "effect"
import type { ServerMessage } from "./responses.js"

export type Report = Extract<ServerMessage, { readonly counts: unknown }>

/** The next message of the server. */
const nextMessage = (child: ChildProcess): Effect.Effect<ServerMessage, Error> =>
  Effect.async((resume) => {
    const failed = (code: number | null): void =>
      resume(Effect.fail(new Error(`the server ended with ${code}`)))
    child.once("exit", failed)
    child.once("message", (message: ServerMessage) => {
      child.off("exit", failed)
      resume(Effect.succeed(message))
    })
  })

export interface Server {
  /** Missing if the server could not start for lack of a program. */
  readonly port: number | undefined
  /** The report after the last connection has closed, which the server may learn a few turns later. */
  readonly finalReport: Effect.Effect<Report, Error>
}

/** Starts a server's process, which ends with the scope. */
export const start = (file: string): Effect.Effect<Server, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(new URL(file, import.meta.url))),
      (child) => Effect.sync(() => child.kill())
    )
    const first = yield* nextMessage(child)
    return {
      port: "port" in first ? first.port : undefined,
      finalReport: Effect.gen(function* () {
        for (let round = 0; ; round++) {
          child.send("counts")
          const message = yield* nextMessage(child)
          if (!("counts" in message)) return yield* Effect.fail(new Error("the server sent no report"))
          if (message.connections === 0 || round === 1000) return message
        }
      })
    }
  })
