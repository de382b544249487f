/** What the quotas of a key keep, and until when. */
import { describe, expect, it } from "@effect/vitest"
import { Quotas } from "../../src/limits/Quotas.js"
import { Windows } from "../../src/limits/Windows.js"

const minute = 60_000

describe("the quotas of a key", () => {
  it("6.22 can be forgotten once the server's limits are full again", () => {
    const quotas = new Quotas(new Windows([]), true)
    expect(quotas.isEmpty(0)).toBe(true)
    quotas.learn(
      { "x-ratelimit-limit": "5", "x-ratelimit-remaining": "4", "x-ratelimit-reset": "60s" },
      true,
      0,
      0
    )
    expect(quotas.isEmpty(minute - 1)).toBe(false)
    expect(quotas.isEmpty(minute)).toBe(true)
  })

  it("6.21 take nothing for a request that was not sent, whatever it was to cost", () => {
    const limits = [
      { unit: "requests", limit: 1, millis: minute },
      { unit: "tokens", limit: 10, millis: minute }
    ]
    const quotas = new Quotas(new Windows(limits), false)
    const costs = { tokens: 10 }
    const taken = quotas.take(costs, 0)
    expect(quotas.wait(costs, 0)).toBe(minute)
    taken.giveBack()
    expect(quotas.wait(costs, 0)).toBe(0)
    expect(quotas.wait({ tokens: 10 }, 0)).toBe(0)
  })
})
