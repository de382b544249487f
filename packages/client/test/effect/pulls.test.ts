import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, FiberId, Stream } from "effect"
import * as Collected from "../../src/effect/collected.js"
import * as Pulls from "../../src/effect/pulls.js"
import { endOf } from "../fixtures/exits.js"

type Seen = readonly [what: "values" | "failure" | "end", value?: unknown]

const handlers = {
  onSuccess: (values: Pulls.Values<unknown>): Effect.Effect<Seen> =>
    Effect.succeed(["values", Pulls.toArray(values)]),
  onFailure: (error: unknown): Effect.Effect<Seen> => Effect.succeed(["failure", error]),
  onEnd: (): Effect.Effect<Seen> => Effect.succeed(["end"])
}

const values: Pulls.Pull<number, string> = Effect.succeed(Pulls.valuesOf([1, 2]))

describe("a pull", () => {
  it.effect.each([
    ["values", values, ["values", [1, 2]]],
    ["a failure", Pulls.fail("no"), ["failure", "no"]],
    ["a failure without a value", Pulls.fail(undefined), ["failure", undefined]],
    ["a late failure", Pulls.failSync(() => "no"), ["failure", "no"]],
    ["the end", Pulls.over, ["end"]]
  ] as const)("10 %s has its handler", ([, pull, seen]) =>
    Effect.gen(function* () {
      expect(yield* Pulls.match(pull, handlers)).toEqual(seen)
      expect(yield* Pulls.matchDefects(pull, handlers)).toEqual(seen)
    })
  )

  it.effect("5.3 a defect is a failure for matchDefects alone", () =>
    Effect.gen(function* () {
      const pull: Pulls.Pull<number> = Effect.die("bug")
      expect(yield* Pulls.matchDefects(pull, handlers)).toEqual(["failure", "bug"])
      expect(endOf(yield* Effect.exit(Pulls.match(pull, handlers)))).toEqual({ defect: "bug" })
    })
  )

  it.effect("5.3 an interruption is no failure", () =>
    Effect.gen(function* () {
      const pull: Pulls.Pull<number> = Exit.interrupt(FiberId.none)
      for (const matched of [Pulls.match(pull, handlers), Pulls.matchDefects(pull, handlers)])
        expect(endOf(yield* Effect.exit(matched))).toBe("interrupted")
    })
  )

  it.effect("10 the values and the error of a pull can be changed, and its end can become an error", () =>
    Effect.gen(function* () {
      const loud = (error: string) => `${error}!`
      const read = (pull: Pulls.Pull<unknown, unknown>) => Pulls.match(pull, handlers)
      expect(yield* read(Pulls.map(values, (n) => n * 2))).toEqual(["values", [2, 4]])
      expect(yield* read(Pulls.mapError(values, loud))).toEqual(["values", [1, 2]])
      expect(yield* read(Pulls.mapError(Pulls.fail("no"), loud))).toEqual(["failure", "no!"])
      expect(yield* read(Pulls.mapError(Pulls.over, loud))).toEqual(["end"])
      expect(yield* read(Pulls.mapError(Pulls.over, loud, () => undefined))).toEqual(["end"])
      expect(yield* read(Pulls.mapError(Pulls.over, loud, () => "cut off"))).toEqual(["failure", "cut off"])
    })
  )
})

/** A pull that returns each list in turn, and then ends as `last` does. */
const scripted = <E>(lists: ReadonlyArray<ReadonlyArray<number>>, last: Pulls.Pull<never, E>) => {
  let at = 0
  return Effect.suspend((): Pulls.Pull<number, E> => {
    const list = lists[at++]
    return list === undefined ? last : Effect.succeed(Pulls.valuesOf(list))
  })
}

const listOf = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.map(Stream.runCollect(stream), (values) => Array.from(values))

describe("a stream of pulls", () => {
  it.effect("10 opens them for each of its runs, and closes them with it", () =>
    Effect.gen(function* () {
      let open = 0
      let opened = 0
      const stream = Pulls.fromPull(
        Effect.map(
          Effect.acquireRelease(
            Effect.sync(() => {
              open++
              opened++
            }),
            () => Effect.sync(() => open--)
          ),
          () => scripted([[1, 2], [3]], Pulls.over)
        )
      )
      expect(yield* listOf(stream)).toEqual([1, 2, 3])
      expect(yield* listOf(Stream.take(stream, 1))).toEqual([1])
      expect([open, opened]).toEqual([0, 2])
    })
  )

  it.effect("10 fails with the error of a pull", () =>
    Effect.gen(function* () {
      const stream = Pulls.repeated(scripted([[1]], Pulls.fail("no")))
      expect(yield* Effect.flip(listOf(stream))).toBe("no")
    })
  )

  it.effect("10 each starts at the first value with every run", () =>
    Effect.gen(function* () {
      const stream = Pulls.each(() => [1, 2])
      expect([yield* listOf(stream), yield* listOf(stream)]).toEqual([
        [1, 2],
        [1, 2]
      ])
    })
  )

  it.effect("10 onPull changes every pull of a stream", () =>
    Effect.gen(function* () {
      const doubled = Pulls.onPull(Stream.make(1, 2), (pull) => Pulls.map(pull, (n) => n * 2))
      expect(yield* listOf(doubled)).toEqual([2, 4])
    })
  )
})

describe("collect", () => {
  const bytes = (...sizes: ReadonlyArray<number>) => {
    let at = 0
    return Effect.suspend((): Pulls.Pull<Uint8Array, string> => {
      const size = sizes[at++]
      return size === undefined ? Pulls.over : Effect.succeed(Pulls.one(new Uint8Array(size)))
    })
  }

  it.effect.each([
    { sizes: [], cap: 4, size: 0, complete: true, pulled: 0 },
    { sizes: [2, 2], cap: 4, size: 4, complete: true, pulled: 2 },
    { sizes: [2, 3, 9], cap: 4, size: 4, complete: false, pulled: 2 }
  ])("8.5 of $sizes bytes reads at most $cap", ({ cap, complete, pulled, size, sizes }) =>
    Effect.gen(function* () {
      let pulls = 0
      const read = yield* Collected.collect(bytes(...sizes), cap, () => pulls++)
      expect([read.bytes.length, read.complete, pulls]).toEqual([size, complete, pulled])
    })
  )

  it.effect("8.5 fails with the error of a pull", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(Collected.collect(Pulls.fail("no"), 4, () => undefined))).toBe("no")
    })
  )
})

describe("streams one after another", () => {
  const joined = (log: Array<string>) =>
    Pulls.joined(
      () => [1, 0, 2],
      (n) =>
        Stream.fromIterable([n, -n]).pipe(
          Stream.concat(n === 2 ? Stream.fail("no") : Stream.empty),
          Stream.tap((value) => Effect.sync(() => log.push(`got ${value}`))),
          Stream.ensuring(Effect.sync(() => log.push(`closed ${n}`)))
        )
    )

  const all = ["got 1", "got -1", "closed 1", "got 0", "got 0", "closed 0", "got 2", "got -2", "closed 2"]

  it.effect(
    "10 each is closed before the next opens, also the one that fails, and every run starts at the first",
    () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const stream = joined(log)
        for (let run = 0; run < 2; run++)
          expect(endOf(yield* Effect.exit(Stream.runDrain(stream)))).toEqual({ error: "no" })
        expect(log.map((line) => line.replace("-0", "0"))).toEqual([...all, ...all])
      })
  )

  it.effect("10 one that is left early is closed, and no other opens", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      yield* Stream.runDrain(Stream.take(joined(log), 1))
      expect(log.filter((line) => line.startsWith("closed"))).toEqual(["closed 1"])
    })
  )

  it.effect("10 there may be none", () =>
    Effect.gen(function* () {
      yield* Stream.runDrain(Pulls.joined(() => [], Stream.make))
    })
  )
})
