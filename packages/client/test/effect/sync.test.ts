import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Exit, FiberId, Schema } from "effect"
import * as Parsing from "../../src/effect/parsing.js"
import * as Sync from "../../src/effect/sync.js"
import { type End, endOf } from "../fixtures/exits.js"

const later = Effect.as(Effect.yieldNow(), 1)

/** How work ends that is done; `undefined` for work that needs a fiber. */
const now = (effect: Effect.Effect<unknown, unknown>): End | undefined =>
  Sync.isSync(effect)
    ? Sync.match(
        effect,
        (error): End => ({ error }),
        (value): End => ({ value })
      )
    : undefined

describe("work that may be done", () => {
  it.each([
    ["a value", Exit.succeed(1), { value: 1 }],
    ["an expected error", Exit.fail("no"), { error: "no" }],
    ["a defect", Exit.die("bug"), undefined],
    ["an interruption", Exit.interrupt(FiberId.none), undefined],
    ["work to do", later, undefined]
  ] as const)("8.4 %s is used without a fiber if it can be", (_, effect, used) => {
    expect(now(effect)).toEqual(used)
  })

  it.each([
    ["map", Sync.map(Exit.succeed(1), (n) => n + 1), { value: 2 }],
    ["map of a failure", Sync.map(Exit.fail("no"), String), { error: "no" }],
    ["flatMap", Sync.flatMap(Exit.succeed(1), (n) => Exit.succeed(n + 1)), { value: 2 }],
    ["flatMap to a failure", Sync.flatMap(Exit.succeed(1), () => Exit.fail("no")), { error: "no" }],
    ["flatMap of a failure", Sync.flatMap(Exit.fail("no"), () => later), { error: "no" }],
    ["mapError", Sync.mapError(Exit.fail("no"), (error) => `${error}!`), { error: "no!" }],
    ["mapError of a value", Sync.mapError(Exit.succeed(1), String), { value: 1 }],
    ["a right Either", Sync.fromEither(Either.right(1)), { value: 1 }],
    ["a left Either", Sync.fromEither(Either.left("no")), { error: "no" }],
    ["an ok result", Sync.fromResult({ ok: true, value: 1 }), { value: 1 }],
    ["a failed result", Sync.fromResult({ ok: false, error: "no" }), { error: "no" }]
  ] as const)("8.4 %s of work that is done is done", (_, effect, used) => {
    expect(now(effect)).toEqual(used)
  })

  it.effect.each([
    ["map", Sync.map(later, (n) => n + 1)],
    ["flatMap", Sync.flatMap(later, (n) => Exit.succeed(n + 1))],
    [
      "mapError",
      Sync.mapError(
        Sync.map(later, (n) => n + 1),
        String
      )
    ]
  ] as const)("8.4 %s waits for work that is not done", ([, effect]) =>
    Effect.gen(function* () {
      expect(now(effect)).toBeUndefined()
      expect(yield* effect).toBe(2)
    })
  )

  it("8.4 errorOf gives an expected error only", () => {
    expect(Sync.errorOf(Exit.fail("no"))).toBe("no")
    expect(Sync.errorOf(Exit.succeed(1))).toBeUndefined()
    expect(Sync.errorOf(Exit.die("bug"))).toBeUndefined()
    expect(Sync.errorOf(Effect.andThen(later, Effect.fail("no")))).toBeUndefined()
  })

  it("8.4 settled gives a value that is there at once", () => {
    expect(Sync.settled(() => Exit.succeed(1))).toBe(1)
    expect(Sync.settled(() => later)).toBeUndefined()
    expect(Sync.settled(() => Exit.fail("no"))).toBeUndefined()
    expect(
      Sync.settled(() => {
        throw new Error("bug")
      })
    ).toBeUndefined()
  })

  it.effect("8.4 outcome has a defect in its cause", () =>
    Effect.gen(function* () {
      expect(yield* Sync.outcome(Exit.succeed(1))).toMatchObject({ ok: true, value: 1 })
      expect(yield* Sync.outcome(Exit.fail("no"))).toMatchObject({ ok: false, error: "no" })
      expect(endOf(yield* Effect.exit(Sync.outcome(Exit.die("bug"))))).toEqual({ defect: "bug" })
    })
  )
})

describe("schemas without asynchronous work", () => {
  const Todo = Schema.Struct({
    id: Schema.NumberFromString,
    tags: Schema.Array(Schema.String),
    due: Schema.NullOr(Schema.Date)
  })
  const decode = Parsing.decoder(Todo)
  const encode = Parsing.encoder(Todo)
  const due = new Date("2025-01-01T00:00:00.000Z")
  const sent = { id: "1", tags: ["a"], due: "2025-01-01T00:00:00.000Z" }
  const read = { id: 1, tags: ["a"], due }

  it("8.4 decode without a fiber, whether a value fits or not", () => {
    expect(now(decode(sent))).toEqual({ value: read })
    expect(now(decode({ ...sent, tags: ["a", 2] }))).toMatchObject({ error: { path: ["tags", 1] } })
  })

  it("5.1 encode without a fiber, whether a value fits or not", () => {
    expect(now(encode(read))).toEqual({ value: sent })
    expect(now(encode({ ...read, tags: 1 }))).toMatchObject({ error: { path: ["tags"] } })
  })
})

describe("schemas with asynchronous work", () => {
  const Later = Schema.transformOrFail(Schema.String, Schema.Number, {
    strict: true,
    decode: (text) => Effect.promise(() => Promise.resolve(text.length)),
    encode: (n) => Effect.promise(() => Promise.resolve("x".repeat(n)))
  })

  it.effect("8.4 decode in a fiber", () =>
    Effect.gen(function* () {
      const decoded = Parsing.decoder(Later)("four")
      expect(now(decoded)).toBeUndefined()
      expect(yield* decoded).toBe(4)
    })
  )

  it.effect("5.1 encode in a fiber", () =>
    Effect.gen(function* () {
      const encoded = Parsing.encoder(Later)(3)
      expect(now(encoded)).toBeUndefined()
      expect(yield* encoded).toBe("xxx")
    })
  )
})
