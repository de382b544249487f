import { describe, expect, it } from "@effect/vitest"
import { WorkflowEngine } from "@effect/workflow"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, Layer, TestClock } from "effect"
import { Client, Payroll, PayrollLive } from "../src/durable/payroll.js"

describe("what becomes of a call", () => {
  const receipt = MockTransport.json({ id: "r1" })
  const status = (status: number, headers?: Record<string, string>) =>
    MockTransport.json({}, headers === undefined ? { status } : { status, headers })
  const refused = MockTransport.connectionError({ code: "ECONNREFUSED" })
  const reset = MockTransport.connectionError({ code: "ECONNRESET" })
  const unavailable = MockTransport.forever(status(503))

  /** Runs a payroll of one payout, without waiting. */
  const run = (script: MockTransport.Script) =>
    Effect.gen(function* () {
      const mock = yield* MockTransport.MockTransport
      const month = { month: "2026-11", payouts: { p0: { account: "CH0", cents: 100 } } }
      let isOver = false
      const over = Effect.sync(() => {
        isOver = true
      })
      const fiber = yield* Effect.fork(Effect.ensuring(Payroll.execute(month), over))
      while (!isOver) yield* TestClock.adjust("1 minute")
      const items = yield* Fiber.join(fiber)
      const requests = yield* mock.requests
      const again = yield* Payroll.execute(month)
      expect([again, yield* mock.requestCount]).toEqual([items, requests.length])
      const keys = (path: string) =>
        new Set(
          requests.filter(({ url }) => url.endsWith(path)).map(({ headers }) => headers["idempotency-key"])
        )
      expect([...keys("/letters")]).toEqual(items[0]?.letter ? [undefined] : [])
      expect(keys("/payouts").size).toBe(1)
      return [items[0]?.payout._tag, items[0]?.letter?._tag, requests.length]
    }).pipe(
      Effect.provide(
        PayrollLive.pipe(
          Layer.provideMerge(WorkflowEngine.layerMemory),
          Layer.provide(Client("https://bank.test")),
          Layer.provideMerge(MockTransport.layer(script))
        )
      )
    )

  const cases: ReadonlyArray<
    readonly [name: string, script: MockTransport.Script, found: ReadonlyArray<unknown>]
  > = [
    ["is done", [receipt, receipt], ["Done", "Done", 2]],
    ["with a key is repeated after a response that was lost", [reset, receipt, receipt], ["Done", "Done", 3]],
    ["with a key is repeated until its attempts are used up", [unavailable], ["Unclear", undefined, 15]],
    ["that the server refuses for good is not repeated", [status(422)], ["Refused", undefined, 1]],
    [
      "without a key is not repeated after a response that was lost",
      [receipt, reset],
      ["Done", "Unclear", 2]
    ],
    ["without a key is not repeated after a 503", [receipt, status(503)], ["Done", "Unclear", 2]],
    ["without a key is repeated if it was not sent", [receipt, refused, receipt], ["Done", "Done", 3]],
    ["without a key is repeated after a 429", [receipt, status(429), receipt], ["Done", "Done", 3]],
    [
      "waits in the journal where a server asks for an hour",
      [status(429, { "retry-after": "3600" }), receipt, receipt],
      ["Done", "Done", 3]
    ],
    [
      "that may have been carried out stays unclear, whatever is refused later",
      [reset, reset, reset, status(422)],
      ["Unclear", undefined, 4]
    ],
    [
      "whose response does not fit is unclear",
      [MockTransport.json({ receipt: 1 })],
      ["Unclear", undefined, 1]
    ]
  ]
  it.effect.each(cases)("a call %s", ([, script, found]) =>
    Effect.gen(function* () {
      expect(yield* run(script)).toEqual(found)
    })
  )
})
