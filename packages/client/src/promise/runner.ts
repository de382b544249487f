/** Runs the effects of a client as promises, and ends them with the client. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import type * as ApiClient from "../ApiClient.js"
import * as Fibers from "../effect/fibers.js"
import * as Promised from "../effect/promised.js"
import { LiveSet } from "../shared/liveSet.js"
import type * as AsyncStream from "./AsyncStream.js"
import { onAbort } from "./abortSignal.js"

/** Runs effects until it is closed. */
export interface Runner extends AsyncStream.Runner {
  readonly close: () => Promise<void>
}

/** Runs effects on a runtime until the client closes. */
export const makeRunner = (
  runtime: ManagedRuntime.ManagedRuntime<ApiClient.ApiClient, unknown>,
  watched: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
): Runner => {
  const running = new LiveSet<Fibers.AnyFiber>()
  const scopes = new LiveSet<Scope.CloseableScope>()
  const bodies = new LiveSet<(reason: unknown) => void>()
  let closed: Promise<void> | undefined

  const start = <A>(
    effect: Effect.Effect<A, unknown, ApiClient.ApiClient>,
    done: (value: A) => void,
    failed: (error: unknown) => void
  ): (() => void) => {
    if (closed !== undefined) {
      failed(new Error("the client is closed"))
      return () => {}
    }
    // Do not keep the fiber's exit: Effect holds its fibers in a `Set` (see `LiveSet`), and with them their exits.
    let outcome: Outcome<A> | undefined
    const kept = Effect.map(effect, (value) => {
      outcome = { value }
    })
    const fiber = Promised.start(runtime, watched(kept))
    const leave = running.add(fiber)
    fiber.addObserver((exit) => {
      leave()
      const ended = outcome
      outcome = undefined
      if (ended !== undefined) return done(ended.value)
      const isClosed = closed !== undefined || Exit.isSuccess(exit)
      failed(isClosed ? closedError() : Cause.squash(exit.cause))
    })
    return () => Fibers.interrupt(fiber)
  }

  const run: AsyncStream.Runner["run"] = (effect, signal) =>
    new Promise((resolve, reject) => {
      if (signal === undefined) return void start(effect, resolve, reject)
      if (signal.aborted) return reject(signal.reason)
      let ended = false
      let unlisten = (): void => {}
      const end = (): void => {
        ended = true
        unlisten()
      }
      const interrupt = start(
        effect,
        (value) => {
          end()
          resolve(value)
        },
        (error) => {
          end()
          reject(signal.aborted ? signal.reason : error)
        }
      )
      // Effects that need no network have already ended.
      if (!ended) unlisten = onAbort(signal, interrupt)
    })

  const close = (): Promise<void> => {
    // One step later, so that whatever ends here sees a closed client.
    closed ??= Promise.resolve().then(() =>
      settled(
        Fiber.interruptAll(running.values()).pipe(
          Effect.zipRight(
            Effect.suspend(() => {
              for (const end of bodies.values()) end(closedError())
              return Effect.forEach(scopes.values(), closing, { discard: true })
            })
          ),
          Effect.ensuring(runtime.disposeEffect)
        )
      )
    )
    return closed
  }
  const fork = Effect.tap(Scope.make(), (scope) => Scope.addFinalizer(scope, Effect.sync(scopes.add(scope))))
  const onEnd: AsyncStream.Runner["onEnd"] = (signal, end) => {
    if (closed !== undefined) end(closedError())
    const leave = bodies.add(end)
    const unlisten = onAbort(signal, () => end(signal?.reason))
    return () => {
      leave()
      unlisten()
    }
  }
  return { run, start, onAbort, onEnd, fork, release: (scope) => settled(closing(scope)), close }
}

const closedError = (): DOMException => new DOMException("The client was closed", "AbortError")

const closing = (scope: Scope.CloseableScope): Effect.Effect<void> => Scope.close(scope, Exit.void)

interface Outcome<A> {
  readonly value: A
}

/** Rejects with the defect itself; Effect's own promises wrap it. */
const settled = (effect: Effect.Effect<void>): Promise<void> =>
  Effect.runPromiseExit(effect).then((exit) => {
    if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
  })
