/** A server of the soak as the soak sees it. */
import { type ChildProcess, fork } from "node:child_process"
import { Effect, type Scope } from "effect"
import type { Word } from "./answers.js"

export type Said = Extract<Word, { readonly counts: unknown }>

/** The next word of the server. */
const word = (child: ChildProcess): Effect.Effect<Word, Error> =>
  Effect.async((resume) => {
    const failed = (code: number | null): void =>
      resume(Effect.fail(new Error(`the server ended with ${code}`)))
    child.once("exit", failed)
    child.once("message", (word: Word) => {
      child.off("exit", failed)
      resume(Effect.succeed(word))
    })
  })

export interface Server {
  /** Nothing where it lacks what it needs, which it has said. */
  readonly port: number | undefined
  /** What it has counted, once it has heard of the last close: it is another process, and may be some turns behind. */
  readonly countsAtLast: Effect.Effect<Said, Error>
}

/** A server in a process of its own, which ends with the scope. */
export const start = (file: string): Effect.Effect<Server, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(new URL(file, import.meta.url))),
      (child) => Effect.sync(() => child.kill())
    )
    const first = yield* word(child)
    return {
      port: "port" in first ? first.port : undefined,
      countsAtLast: Effect.gen(function* () {
        for (let asked = 0; ; asked++) {
          child.send("counts")
          const said = yield* word(child)
          if (!("counts" in said))
            return yield* Effect.fail(new Error("the server does not say what it counted"))
          if (said.connections === 0 || asked === 1000) return said
        }
      })
    }
  })
