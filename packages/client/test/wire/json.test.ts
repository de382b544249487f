import { Readable } from "node:stream"
import { runInNewContext } from "node:vm"
import {
  Chunk,
  Config,
  Context,
  Data,
  DateTime,
  Duration,
  Effect,
  Either,
  FastCheck as fc,
  HashMap,
  Layer,
  Option,
  Redacted,
  Schedule,
  Schema,
  Stream
} from "effect"
import { describe, expect, it } from "vitest"
import { stringify } from "../../src/wire/json.js"
import { struct } from "../fixtures/data.js"
import { errorOf, valueOf } from "../fixtures/results.js"

const text = (value: unknown): string => valueOf(stringify(value, "body"))
const rejected = (value: unknown) => errorOf(stringify(value, "body"))

const cycle: { next?: unknown } = {}
cycle.next = { back: [cycle] }
const shared = { a: 1 }

class Point {
  readonly x = 1
  readonly #y = 2
  get y(): number {
    return this.#y
  }
}
class Sealed {
  readonly #secret = 1
  get secret(): number {
    return this.#secret
  }
}
class Itself {
  readonly a = 1
  toJSON(): this {
    return this
  }
}
class Todo extends Schema.Class<Todo>("Todo")({ id: Schema.Number }) {}
class Nothing extends Schema.Class<Nothing>("Nothing")({}) {}
class Failed extends Data.TaggedError("Failed")<{ readonly code: number }> {}
const throwing = {
  get a(): number {
    throw new Error("secret detail")
  }
}
const revoked = Proxy.revocable({}, {})
revoked.revoke()

describe("stringify", () => {
  it("5.1 writes any JSON value as JSON.stringify does", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(text(value)).toBe(JSON.stringify(value))
      })
    )
  })

  it.each<readonly [value: unknown, json: string]>([
    [null, "null"],
    [false, "false"],
    [0, "0"],
    ["", '""'],
    [[], "[]"],
    [{}, "{}"],
    [-0, "0"],
    ["\u2028 \ud83d\ude00 \ud800", '"\u2028 \ud83d\ude00 \\ud800"'],
    [{ a: undefined, b: null }, '{"b":null}'],
    [new Array(2), "[null,null]"],
    [[undefined], "[null]"],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [{ at: DateTime.unsafeMake(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [new URL("https://a.test/x"), '"https://a.test/x"'],
    [{ toJSON: () => ({ b: 1 }) }, '{"b":1}'],
    [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    [[shared, shared, { shared }], '[{"a":1},{"a":1},{"shared":{"a":1}}]'],
    [{ a: { toJSON: (key: string) => key } }, '{"a":"a"}'],
    [new Itself(), '{"a":1}'],
    [new Point(), '{"x":1}'],
    [[new Number(1), new String("a"), new Boolean(false)], '[1,"a",false]'],
    [runInNewContext("({ a: [{}, new Date(0)] })"), '{"a":[{},"1970-01-01T00:00:00.000Z"]}'],
    [new Proxy({ a: [1] }, {}), '{"a":[1]}'],
    [JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
    [new Todo({ id: 1 }), '{"id":1}'],
    [[new Nothing(), struct({})], "[{},{}]"],
    [struct({ a: [struct({ b: 1 })] }), '{"a":[{"b":1}]}'],
    [new Failed({ code: 1 }), '{"code":1,"_tag":"Failed"}']
  ])("5.1 writes %o as %s", (value, json) => {
    expect(text(value)).toBe(json)
  })

  it.each<readonly [value: unknown, field: string, reason: string]>([
    [Number.NaN, "body", "finite"],
    [Number.POSITIVE_INFINITY, "body", "finite"],
    [{ a: [0, Number.NEGATIVE_INFINITY] }, "body.a.1", "finite"],
    [1n, "body", "bigint"],
    [{ id: { low: 1n } }, "body.id.low", "bigint"],
    [cycle, "body.next.back.0", "refer back"],
    [new Date(Number.NaN), "body", "valid date"],
    [undefined, "body", "JSON can hold"],
    [() => 1, "body", "function"],
    [Symbol("a"), "body", "symbol"],
    [{ toJSON: () => undefined }, "body", "JSON can hold"],
    [
      {
        toJSON: () => {
          throw new Error("secret detail")
        }
      },
      "body",
      "toJSON failed"
    ],
    [{ a: { toJSON: () => 1n } }, "body.a", "bigint"],
    [{ a: { toJSON: () => ({ b: [Number.NaN] }) } }, "body.a.b.0", "finite"],
    [{ a: [new Number(Number.NaN)] }, "body.a.0", "finite"],
    [runInNewContext("({ at: new Date(NaN) })"), "body.at", "valid date"]
  ])("5.1 rejects %o at %s: %s", (value, field, reason) => {
    const problem = rejected(value)
    expect(problem.field).toBe(field)
    expect(problem.reason).toContain(reason)
    expect(problem.reason).not.toContain("secret detail")
  })

  const contentElsewhere: ReadonlyArray<readonly [value: unknown, instead: string]> = [
    [new FormData(), "not a FormData: send its fields as `multipart`"],
    [new URLSearchParams("a=1"), "`form`"],
    [new Blob(["a"]), "not a Blob: send files as `multipart`"],
    [new File(["a"], "a.txt"), "`multipart`"],
    [new ArrayBuffer(1), "not an ArrayBuffer: send bytes as `bytes`"],
    [new Uint8Array(1), "`bytes`"],
    [Buffer.from("a"), "`bytes`"],
    [new DataView(new ArrayBuffer(1)), "`bytes`"],
    [new Blob(["a"]).stream(), "`bodyStream`"],
    [Readable.from(["a"]), "not a Readable: send it as `bodyStream`"],
    [(async function* () {})(), "`bodyStream`"],
    [(function* () {})(), "array"],
    [[1].values(), "array"],
    [Promise.resolve({ a: 1 }), "not a Promise: await it"],
    // biome-ignore lint/suspicious/noThenProperty: query builders have such a method
    [{ then: () => 1 }, "await it"],
    [new Map([["a", 1]]), "not a Map: make it one with Object.fromEntries"],
    [new Set([1]), "not a Set: make it an array"],
    [new WeakMap(), "not a WeakMap"],
    [new WeakSet(), "not a WeakSet"],
    [new Headers({ a: "1" }), "Object.fromEntries"],
    [/a/, "source"],
    [new TypeError("a"), "not an Error: send its message"],
    [new Sealed(), "not a Sealed: give it a toJSON"],
    [new Request("http://a.test"), "not a Request"],
    [new Response("a"), "not a Response"],
    [Object.create({ a: 1 }), "an object whose content is elsewhere"],
    [Object.defineProperty({}, "a", { value: 1 }), "an object whose content is elsewhere"],
    [{ [Symbol.iterator]: () => [1].values() }, "an object whose content is elsewhere"],
    [runInNewContext("new Map([[1, 2]])"), "not a Map"],
    [() => 1, "a function"],
    [class {}, "a function"],
    [Symbol("a"), "a symbol"],
    [Object(1n), "a BigInt"],
    ...[
      Effect.succeed(1),
      Effect.sync(() => 1),
      Option.some(1),
      Option.none(),
      Either.right(1),
      Chunk.of(1),
      HashMap.empty(),
      Duration.seconds(1),
      Stream.make(1),
      Layer.empty,
      Schedule.recurs(1),
      Context.empty(),
      Config.succeed(1)
    ].map((value) => [value, "an Effect data type"] as const)
  ]

  it.each(contentElsewhere)(
    "5.1 rejects a value that keeps its content outside its own properties, at any depth: %o",
    (value, hint) => {
      const places = [
        [value, "body"],
        [{ a: [0, { file: value }] }, "body.a.1.file"],
        [{ a: { toJSON: () => ({ b: value }) } }, "body.a.b"],
        [{ a: Redacted.make([value]) }, "body.a.0"]
      ]
      for (const [body, field] of places) {
        // For a thenable, the field is its `then` method.
        expect(rejected(body).field.replace(/\.then$/, "")).toBe(field)
        expect(rejected(body).reason).toContain(hint)
      }
    }
  )

  it("5.1 a getter or a proxy that throws is rejected, and stringify does not throw", () => {
    const reason = "could not be turned into JSON: reading it failed"
    expect(rejected({ a: [{ b: throwing }] })).toMatchObject({ field: "body.a.0.b", reason })
    expect(rejected({ a: revoked.proxy })).toMatchObject({ field: "body.a", reason })
  })

  it.each<readonly [value: unknown, json: string]>([
    [Redacted.make("s"), '"s"'],
    [
      { a: Redacted.make("s"), b: [Redacted.make(1), { c: Redacted.make(null) }] },
      '{"a":"s","b":[1,{"c":null}]}'
    ],
    [
      { card: Redacted.make({ number: "4242", cvc: Redacted.make("123") }) },
      '{"card":{"number":"4242","cvc":"123"}}'
    ],
    [Redacted.make(Redacted.make("s")), '"s"'],
    [{ toJSON: () => ({ key: Redacted.make("s") }) }, '{"key":"s"}'],
    [Redacted.make(new Date(0)), '"1970-01-01T00:00:00.000Z"'],
    [{ toJSON: () => Redacted.make("s") }, '"s"']
  ])("12.4 sends the content of a Redacted: %o", (value, json) => {
    expect(text(value)).toBe(json)
  })

  it.each<readonly [value: unknown, field: string]>([
    [{ a: Redacted.make(Number.NaN) }, "body.a"],
    [{ a: Redacted.make({ b: 1n }) }, "body.a.b"],
    [Redacted.make(new Map()), "body"],
    [[Redacted.make(cycle)], "body.0.next.back.0"]
  ])("5.1 rejects an invalid value inside a Redacted: %o", (value, field) => {
    expect(rejected(value).field).toBe(field)
  })

  it("5.1 rejects a wiped Redacted", () => {
    const wiped = Redacted.make("s")
    Redacted.unsafeWipe(wiped)
    expect(rejected({ a: wiped }).field).toBe("body.a")
  })

  it("5.1 does not change the value", () => {
    const key = Redacted.make("s")
    const value = Object.freeze({ a: Object.freeze([key]), at: new Date(0) })
    expect(text(value)).toBe('{"a":["s"],"at":"1970-01-01T00:00:00.000Z"}')
    expect(value.a).toEqual([key])
  })

  it.each([
    ["lists", (inner: unknown) => [inner]],
    ["objects", (inner: unknown) => ({ a: inner })],
    ["toJSON results", (inner: unknown) => ({ toJSON: () => [inner] })],
    ["Redacted values", (inner: unknown) => ({ a: Redacted.make(inner) })]
  ])("5.1 rejects values nested deeper than the stack, without a stack overflow: %s", (_, nest) => {
    let deep: unknown = 1
    for (let depth = 0; depth < 100_000; depth++) deep = nest(deep)
    expect(rejected(deep).reason).toBe("must not be nested deeper than 1000 levels")
  })

  it("5.1 rejects a toJSON that never ends", () => {
    const endless = { toJSON: () => ({ endless }) }
    expect(rejected(endless).reason).toMatch(/refer back|nested deeper/)
  })

  it("5.1 any value is written as JSON.stringify does, or rejected", () => {
    fc.assert(
      fc.property(
        fc.anything({ withMap: true, withSet: true, withDate: true, withTypedArray: true }),
        (value) => {
          const outcome = stringify(value, "body")
          if (outcome.ok) expect(outcome.value).toBe(JSON.stringify(value))
          else expect(outcome.error.field).toMatch(/^body/)
        }
      )
    )
  })
})
