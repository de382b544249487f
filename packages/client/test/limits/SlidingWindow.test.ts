/** A window of costs: the rule, and its law over any order of requests. */
import { describe, expect, it } from "@effect/vitest"
import { SlidingWindow } from "../../src/limits/SlidingWindow.js"

describe("SlidingWindow", () => {
  it.each([
    { name: "an empty window", taken: [], cost: 1, now: 0, wait: 0 },
    { name: "room for one more", taken: [[0, 2]], cost: 1, now: 0, wait: 0 },
    {
      name: "no room until the first has passed",
      taken: [
        [0, 2],
        [40, 1]
      ],
      cost: 1,
      now: 50,
      wait: 50
    },
    {
      name: "no room until two have passed",
      taken: [
        [0, 2],
        [40, 1]
      ],
      cost: 3,
      now: 50,
      wait: 90
    },
    { name: "more than the limit waits for an empty window", taken: [[40, 1]], cost: 9, now: 50, wait: 90 },
    { name: "more than the limit in an empty window", taken: [], cost: 9, now: 50, wait: 0 },
    { name: "what has passed counts no more", taken: [[0, 3]], cost: 3, now: 100, wait: 0 },
    { name: "nothing costs nothing", taken: [[0, 3]], cost: 0, now: 50, wait: 0 }
  ] as const)("6.21 $name", ({ cost, now, taken, wait }) => {
    const window = new SlidingWindow(3, 100)
    for (const [at, cost] of taken) window.take(cost, at)
    expect(window.wait(cost, now)).toBe(wait)
  })

  it("6.21 gives room back for what a request did not use, and none after its window", () => {
    const window = new SlidingWindow(10, 100)
    const entry = window.take(8, 0)
    expect(window.wait(5, 10)).toBe(90)
    window.correct(entry, -4)
    expect(window.wait(5, 10)).toBe(0)
    expect(window.isEmpty(100)).toBe(true)
    window.correct(entry, 50)
    expect(window.wait(10, 100)).toBe(0)
  })

  it.each([1, 7, 50, 3000])(
    "6.21 no window holds more than the limit of %i, and waiting fills every window",
    (limit) => {
      const millis = 1000
      const window = new SlidingWindow(limit, millis)
      const sent: Array<number> = []
      let now = 0
      while (sent.length < 5 * limit) {
        const wait = window.wait(1, now)
        if (wait > 0) now += wait
        else {
          window.take(1, now)
          sent.push(now)
          // Uneven steps, without chance.
          now += (sent.length % 7) / 10
        }
      }
      for (let first = 0, last = 0; last < sent.length; last++) {
        while ((sent[last] ?? 0) - (sent[first] ?? 0) >= millis - 1e-6) first++
        expect(last - first + 1).toBeLessThanOrEqual(limit)
      }
      expect(now).toBeLessThan(5 * (millis + 0.31 * limit + millis / 256))
    }
  )
})
