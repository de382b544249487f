import { DateTime, Either, FastCheck as fc, Option, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { stringify } from "../../src/internal/json.js"

const text = (value: unknown): string => Either.getOrThrow(stringify(value, "body"))
const refused = (value: unknown) => Either.getOrThrow(Either.flip(stringify(value, "body")))

const cycle: { next?: unknown } = {}
cycle.next = { back: [cycle] }
const shared = { a: 1 }

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
    [{ a: undefined, b: null, c: () => 1 }, '{"b":null}'],
    [[undefined], "[null]"],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [{ at: DateTime.unsafeMake(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [new URL("https://a.test/x"), '"https://a.test/x"'],
    [{ toJSON: () => ({ b: 1 }) }, '{"b":1}'],
    [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    [[shared, shared, { shared }], '[{"a":1},{"a":1},{"shared":{"a":1}}]']
  ])("5.1 %o is %s", (value, json) => {
    expect(text(value)).toBe(json)
  })

  it.each<readonly [value: unknown, field: string, reason: string]>([
    [Number.NaN, "body", "finite"],
    [Number.POSITIVE_INFINITY, "body", "finite"],
    [{ a: [0, Number.NEGATIVE_INFINITY] }, "body.a.1", "finite"],
    [1n, "body", "bigint"],
    [{ id: { low: 1n } }, "body.id.low", "bigint"],
    [new Map([["a", 1]]), "body", "Map"],
    [{ a: new Set([1]) }, "body.a", "Map or a Set"],
    [cycle, "body.next.back.0", "refer back"],
    [new Date(Number.NaN), "body", "valid date"],
    [undefined, "body", "JSON can hold"],
    [() => 1, "body", "JSON can hold"],
    [Symbol("a"), "body", "JSON can hold"],
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
    [{ a: { toJSON: () => 1n } }, "body", "toJSON failed"]
  ])("5.1 %o is refused at %s: %s", (value, field, reason) => {
    const problem = refused(value)
    expect(problem.field).toBe(field)
    expect(problem.reason).toContain(reason)
    expect(problem.reason).not.toContain("secret detail")
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
    [Redacted.make(new Date(0)), '"1970-01-01T00:00:00.000Z"']
  ])("12.4 a Redacted is sent as what it holds: %o", (value, json) => {
    expect(text(value)).toBe(json)
  })

  it.each<readonly [value: unknown, field: string]>([
    [{ a: Redacted.make(Number.NaN) }, "body.a"],
    [{ a: Redacted.make({ b: 1n }) }, "body.a.b"],
    [Redacted.make(new Map()), "body"],
    [[Redacted.make(cycle)], "body.0.next.back.0"]
  ])("5.1 what a Redacted holds is checked too: %o", (value, field) => {
    expect(refused(value).field).toBe(field)
  })

  it("5.1 a Redacted whose secret was wiped is refused", () => {
    const wiped = Redacted.make("s")
    Redacted.unsafeWipe(wiped)
    expect(refused({ a: wiped }).field).toBe("body.a")
  })

  it("5.1 what has a toJSON speaks for itself", () => {
    expect(text({ a: Option.some(1) })).toBe('{"a":{"_id":"Option","_tag":"Some","value":1}}')
  })

  it("5.1 a value nested deeper than the stack is refused, not thrown", () => {
    let deep: unknown = 1
    for (let depth = 0; depth < 100_000; depth++) deep = [deep]
    expect(Either.isLeft(stringify(deep, "body"))).toBe(true)
  })
})
