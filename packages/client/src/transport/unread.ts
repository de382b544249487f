/** A body that is returned open, and that nobody may ever read. */
import * as Effect from "effect/Effect"
import * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import { ExchangeTimer } from "./ExchangeTimer.js"

/** Keeps a body open until it is read or left, or until the time to begin reading it has passed. */
export interface Keeper {
  /** Nobody began in time: the body is gone. */
  readonly expired: boolean
  /** It was left before its end: what can still be read is incomplete. */
  readonly isLeft: boolean
  /** Reading begins: from now on the body's own limits apply. */
  readonly start: () => void
  /** Ends it, read or not. A no-op once it has ended. */
  readonly leave: () => void
}

export const nothing = (): void => undefined

/** Why a body that was left is over: an aborted one may look like one that has ended. */
export const left: Error = Object.assign(new Error("the body was left"), { code: "UND_ERR_ABORTED" })

class Keeping implements Keeper {
  expired = false
  isLeft = false
  started = false
  fiber: Fibers.AnyFiber | undefined

  start(): void {
    this.started = true
  }

  readonly leave = (): void => {
    this.isLeft = true
    if (this.fiber !== undefined) Fibers.interrupt(this.fiber)
  }
}

const forever: Effect.Effect<never> = Effect.async<never>(() => {})

/**
 * Sleeps on the program's clock. On the system's clock it does not keep the process alive: the body may be all that
 * is left of a program.
 */
const sleep = (millis: number): Effect.Effect<void> => {
  if (millis === Number.POSITIVE_INFINITY) return forever
  return Effect.clockWith((clock) => {
    if (!Monotonic.isSystem(clock)) return Effect.sleep(millis)
    return Effect.async<void>((resume) => {
      const timer = new ExchangeTimer(() => resume(Effect.void), "unref")
      timer.expect("", millis)
      return Effect.sync(() => timer.stop())
    })
  })
}

/** Keeps a body that `close` ends. It refers to nothing but `close`, so that a dropped response can be collected. */
export const keep = (millis: number, close: Effect.Effect<void>): Effect.Effect<Keeper> =>
  Effect.suspend(() => {
    const keeping = new Keeping()
    const waited = Effect.flatMap(sleep(millis), () => {
      if (keeping.started) return forever
      keeping.expired = true
      return Effect.void
    })
    // Started where no interruption can come before `close` is registered.
    return Effect.uninterruptible(
      Effect.map(Fibers.forkDetached(Effect.ensuring(Effect.interruptible(waited), close)), (fiber) => {
        keeping.fiber = fiber
        return keeping
      })
    )
  })
