import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { keep } from "../../src/transport/unread.js"

describe("a body that is returned open", () => {
  it.effect("6.15 is closed once, even if it is left before its limit begins to run", () =>
    Effect.gen(function* () {
      let closed = 0
      const keeper = yield* keep(
        1000,
        Effect.sync(() => void closed++)
      )
      keeper.leave()
      yield* Effect.yieldNow()
      expect([closed, keeper.isLeft, keeper.expired]).toEqual([1, true, false])
      keeper.leave()
      yield* TestClock.adjust(1000)
      expect(closed).toBe(1)
    })
  )

  it.effect("6.15 is closed when its limit passes, and not if somebody reads it by then", () =>
    Effect.gen(function* () {
      const closed: Array<string> = []
      const close = (name: string) => Effect.sync(() => void closed.push(name))
      const [unread, read] = [yield* keep(1000, close("unread")), yield* keep(1000, close("read"))]
      read.start()
      yield* TestClock.adjust(1000)
      expect([closed, unread.expired, read.expired]).toEqual([["unread"], true, false])
      read.leave()
      yield* Effect.yieldNow()
      expect(closed).toEqual(["unread", "read"])
    })
  )
})
