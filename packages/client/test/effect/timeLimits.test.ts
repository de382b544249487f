import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, TestClock } from "effect"
import * as TimeLimits from "../../src/effect/timeLimits.js"
import { endOf } from "../fixtures/exits.js"
import { regions } from "../fixtures/regions.js"

const late = Effect.succeed("late")

describe("a time limit", () => {
  for (const { region, runIn } of regions) {
    it.effect.each([
      { work: 999, limit: 1000, result: "done" },
      { work: 1001, limit: 1000, result: "late" },
      { work: 0, limit: 1, result: "done" }
    ])(`7.3 of $limit ms and work of $work ms: $result, in ${region}`, ({ limit, result, work }) =>
      Effect.gen(function* () {
        const timed = TimeLimits.within(Effect.as(Effect.sleep(work), "done"), limit, late)
        const fiber = yield* Effect.fork(runIn(timed))
        yield* TestClock.adjust("1 hour")
        expect(yield* Fiber.join(fiber)).toBe(result)
      })
    )
  }

  it.effect("7.3 without time left the work does not start, and an endless limit never passes", () =>
    Effect.gen(function* () {
      let started = 0
      const work = Effect.sync(() => {
        started++
        return "done"
      })
      expect(yield* TimeLimits.within(work, 0, late)).toBe("late")
      expect(started).toBe(0)
      const slow = Effect.zipRight(Effect.sleep("10 days"), work)
      const fiber = yield* Effect.fork(TimeLimits.within(slow, Number.POSITIVE_INFINITY, late))
      yield* TestClock.adjust("11 days")
      expect(yield* Fiber.join(fiber)).toBe("done")
    })
  )

  it.effect("7.3 failures, defects and interruptions of the work are its own", () =>
    Effect.gen(function* () {
      const ends = [Effect.fail("no"), Effect.die("bug"), Effect.interrupt].map((end) =>
        TimeLimits.within(Effect.zipRight(Effect.sleep(1), end), 1000, late)
      )
      const fiber = yield* Effect.fork(Effect.forEach(ends, Effect.exit, { concurrency: "unbounded" }))
      yield* TestClock.adjust("1 hour")
      expect((yield* Fiber.join(fiber)).map(endOf)).toEqual([
        { error: "no" },
        { defect: "bug" },
        "interrupted"
      ])
    })
  )

  it.effect("7.3 interrupting the caller interrupts the work and waits for it", () =>
    Effect.gen(function* () {
      let cleaned = false
      const work = Effect.onInterrupt(Effect.never, () =>
        Effect.zipRight(
          Effect.yieldNow(),
          Effect.sync(() => {
            cleaned = true
          })
        )
      )
      const fiber = yield* Effect.fork(TimeLimits.within(work, 1000, late))
      yield* TestClock.adjust(1)
      expect(endOf(yield* Fiber.interrupt(fiber))).toBe("interrupted")
      expect(cleaned).toBe(true)
    })
  )

  it.effect("7.3 a failure that the work returns as a value is no failure of the race", () =>
    Effect.gen(function* () {
      const settled = (millis: number) =>
        TimeLimits.settledWithin(Effect.as(Effect.sleep(millis), Exit.fail("no")), 1000, () => late)
      const fiber = yield* Effect.fork(
        Effect.forEach([1, 2000], (millis) => Effect.exit(settled(millis)), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("1 hour")
      expect((yield* Fiber.join(fiber)).map(endOf)).toEqual([{ error: "no" }, { value: "late" }])
    })
  )
})
