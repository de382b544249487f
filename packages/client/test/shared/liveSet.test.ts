import { FastCheck as fc } from "effect"
import { describe, expect, it } from "vitest"
import { LiveSet } from "../../src/shared/liveSet.js"

describe("LiveSet", () => {
  it("holds the values that were added and not removed, in any order of removal", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat({ max: 20 }), { nil: undefined })), (steps) => {
        const registry = new LiveSet<object>()
        const expected = new Set<object>()
        const leave: Array<() => void> = []
        for (const at of steps) {
          if (at === undefined) {
            const value = {}
            expected.add(value)
            const out = registry.add(value)
            leave.push(() => {
              out()
              expected.delete(value)
            })
          } else leave[at]?.()
          expect(registry.size).toBe(expected.size)
          expect(new Set(registry.values())).toEqual(expected)
        }
      })
    )
  })

  it("a value may remove itself while values() is iterated", () => {
    const registry = new LiveSet<() => void>()
    let ended = 0
    for (let count = 0; count < 5; count++) {
      const leave = registry.add(() => {
        leave()
        ended++
      })
    }
    for (const end of registry.values()) end()
    expect([ended, registry.size]).toEqual([5, 0])
  })
})
