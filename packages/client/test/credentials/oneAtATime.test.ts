import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import { vi } from "vitest"
import { oneAtATime } from "../../src/credentials/oneAtATime.js"

vi.mock("../../src/shared/runtime.js", async (original) => ({
  ...(await original<object>()),
  isIoBound: true
}))

/** Work of so many milliseconds that notes when it begins and ends. */
const working = (log: Array<string>, name: string, millis: number) =>
  Effect.suspend(() => {
    log.push(`${name} begins`)
    return Effect.as(
      Effect.ensuring(
        Effect.sleep(millis),
        Effect.sync(() => log.push(`${name} ends`))
      ),
      name
    )
  })

describe("where I/O belongs to the request that began it", () => {
  it.effect("4.7 work runs for one caller at a time, and the others look for its end", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const alone = oneAtATime(1000)
      const all = ["a", "b", "c"].map((name) => alone(working(log, name, 100)))
      const fiber = yield* Effect.fork(Effect.all(all, { concurrency: "unbounded" }))
      yield* TestClock.adjust(1000)
      expect(yield* Fiber.join(fiber)).toEqual(["a", "b", "c"])
      for (let index = 0; index < log.length; index += 2)
        expect(log[index + 1]).toBe(log[index]?.replace("begins", "ends"))
    })
  )

  it.effect("4.7 a caller whose request is gone holds the next one up for a while, and no longer", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const alone = oneAtATime(1000)
      yield* Effect.fork(alone(working(log, "lost", Number.MAX_SAFE_INTEGER)))
      yield* TestClock.adjust(10)
      const next = yield* Effect.fork(alone(working(log, "next", 0)))
      yield* TestClock.adjust(980)
      expect(log).toEqual(["lost begins"])
      yield* TestClock.adjust(50)
      expect(yield* Fiber.join(next)).toBe("next")
    })
  )

  it.effect("4.7 work that fails or is interrupted lets the next caller go ahead", () =>
    Effect.gen(function* () {
      const alone = oneAtATime(1000)
      expect(yield* Effect.flip(alone(Effect.fail("refused")))).toBe("refused")
      const held = yield* Effect.fork(alone(Effect.never))
      yield* TestClock.adjust(10)
      yield* Fiber.interrupt(held)
      expect(yield* alone(Effect.succeed("next"))).toBe("next")
    })
  )
})
