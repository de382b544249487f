/** A body that is handed out open, and that nobody may ever read. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import { ExchangeTimer } from "./ExchangeTimer.js"

/** Who keeps a body open until it is read, left, or the limit passes in which somebody must begin to read it. */
export interface Keeper {
  /** Nobody began in time: the body is gone. */
  readonly expired: boolean
  /** It was ended before its end: what comes of it now is not the whole. */
  readonly isLeft: boolean
  /** Somebody reads it: from now on its own limits count. */
  readonly start: () => void
  /** Ends it, read or not. A no-op once it has ended. */
  readonly leave: () => void
}

export const nothing = (): void => undefined

/** Why a body is over: one that is aborted may look like one that has come to its end. */
export const reasonOf = (keeper: Keeper | undefined, why: Option.Option<unknown>): Option.Option<unknown> =>
  keeper?.isLeft === true ? Option.orElseSome(why, () => left) : why

const left = Object.assign(new Error("the body was left"), { code: "UND_ERR_ABORTED" })

class Keeping implements Keeper {
  expired = false
  isLeft = false
  started = false
  fiber: Fiber.RuntimeFiber<void> | undefined

  start(): void {
    this.started = true
  }

  readonly leave = (): void => {
    this.isLeft = true
    this.fiber?.unsafeInterruptAsFork(FiberId.none)
  }
}

const liveClock = Context.get(DefaultServices.liveServices, Clock.Clock)

const forever: Effect.Effect<never> = Effect.async<never>(() => {})

/** Sleeps on the program's clock. On the system's it keeps no process alive: the body may be all that is left of a program. */
const sleep = (millis: number): Effect.Effect<void> => {
  if (millis === Number.POSITIVE_INFINITY) return forever
  return Effect.clockWith((clock) => {
    if (clock !== liveClock) return Effect.sleep(millis)
    return Effect.async<void>((resume) => {
      const timer = new ExchangeTimer(() => resume(Effect.void), "unref")
      timer.expect("", millis)
      return Effect.sync(() => timer.stop())
    })
  })
}

/** Keeps a body that `close` ends. Nothing but `close` is referred to: a response that is dropped can be collected. */
export const keep = (millis: number, close: Effect.Effect<void>): Effect.Effect<Keeper> =>
  Effect.suspend(() => {
    const keeping = new Keeping()
    const waited = Effect.flatMap(sleep(millis), () => {
      if (keeping.started) return forever
      keeping.expired = true
      return Effect.void
    })
    // Begun where no interruption can come before `close` is in place.
    return Effect.uninterruptible(
      Effect.map(Effect.forkDaemon(Effect.ensuring(Effect.interruptible(waited), close)), (fiber) => {
        keeping.fiber = fiber
        return keeping
      })
    )
  })
