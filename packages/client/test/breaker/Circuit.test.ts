/** The state of a circuit, without a client: times are numbers. */
import { ApiError } from "@effect-api/client"
import { describe, expect, it } from "vitest"
import { Circuit, type Probe, type Settings } from "../../src/breaker/Circuit.js"
import { Circuits } from "../../src/breaker/Circuits.js"
import { Outcomes } from "../../src/breaker/Outcomes.js"

const settings: Settings = {
  consecutiveFailures: 3,
  failureRate: Number.POSITIVE_INFINITY,
  minimumCalls: 10,
  windowMillis: 10_000,
  openMillis: 1000,
  maxOpenMillis: 8000,
  jitter: 0.5,
  probes: 3
}

const failure = { error: ApiError.make("ConnectionError", { message: "reset" }), hint: 0, wall: 0 }

const circuitOf = (more: Partial<Settings> = {}) => new Circuit({ ...settings, ...more })

/** Lets attempts end one after the other: `.` for a success, `x` for a failure. True if the circuit is open after them. */
const play = (circuit: Circuit, ends: string, now = 0): boolean => {
  for (const end of ends) {
    if (end === "x") circuit.fail(failure, now, now)
    else circuit.succeed(now, now)
  }
  return !circuit.isClosed
}

const probe = (circuit: Circuit, now: number): Probe => {
  expect(circuit.delay(now)).toBe(0)
  const entered = circuit.enter(now)
  if (entered === undefined) throw new Error("the circuit is closed")
  return entered
}

const rate = { consecutiveFailures: Number.POSITIVE_INFINITY, failureRate: 0.5 }

describe("a closed circuit", () => {
  it.each([
    ["xxx", {}, true],
    ["xx", {}, false],
    ["xx.xx.xx", {}, false],
    ["xx.xxx", {}, true],
    ["x", { consecutiveFailures: 1 }, true],
    ["xxxxxxxxx", rate, false],
    ["xxxxxxxxxx", rate, true],
    ["x.x.x.x.x.", rate, false],
    [".x.x.x.x.x", rate, true],
    ["......xxxx", rate, false],
    ["......xxxxxx", rate, true],
    ["xxxxxxxxxxxx", { ...rate, failureRate: Number.POSITIVE_INFINITY }, false]
  ])("6.25 after %s, with %j, is open: %s", (ends, more, isOpen) => {
    expect(play(circuitOf(more), ends)).toBe(isOpen)
  })

  it("6.25 forgets what is older than the window", () => {
    const circuit = circuitOf(rate)
    expect(play(circuit, "xxxxxxxxx", 0)).toBe(false)
    expect(play(circuit, "x", 11_000)).toBe(false)
    expect(play(circuit, "xxxxxxxx", 11_000)).toBe(false)
    expect(play(circuit, "x", 19_000)).toBe(true)
  })

  it("6.25 counts nothing that began before it closed", () => {
    const circuit = circuitOf({ probes: 1 })
    play(circuit, "xxx")
    circuit.probeSucceeded(probe(circuit, 1000), 1500)
    for (const begunAt of [0, 1000, 1499]) circuit.fail(failure, begunAt, 1600)
    expect(play(circuit, "xx", 1600)).toBe(false)
    expect(play(circuit, "x", 1600)).toBe(true)
  })
})

describe("an open circuit", () => {
  it("6.26 opens twice as long after each probe that fails, up to the limit", () => {
    const circuit = circuitOf()
    play(circuit, "xxx")
    const waits: Array<number> = []
    let now = 0
    for (let count = 0; count < 6; count++) {
      waits.push(circuit.delay(now))
      now += circuit.delay(now)
      circuit.probeFailed(probe(circuit, now), failure, now)
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 8000, 8000])
  })

  it.each([
    [0, 1000],
    [0.5, 750],
    [0.999, 500.5]
  ])("6.26 jitter of %d shortens the wait to %d ms, once", (random, delay) => {
    const circuit = circuitOf()
    play(circuit, "xxx")
    expect(circuit.isUnjittered).toBe(true)
    circuit.shorten(random)
    circuit.shorten(random)
    expect(circuit.isUnjittered).toBe(false)
    expect(circuit.delay(0)).toBe(delay)
  })

  it.each([
    [100, 1000, 500],
    [900, 1000, 900],
    [3000, 3000, 3000],
    [60_000, 8000, 8000]
  ])(
    "6.26 a server that asks for %d ms is left alone for %d, and for %d with jitter",
    (hint, delay, least) => {
      const circuit = circuitOf({ consecutiveFailures: 1 })
      circuit.fail({ ...failure, hint }, 0, 0)
      expect(circuit.delay(0)).toBe(delay)
      circuit.shorten(1)
      expect(circuit.delay(0)).toBe(least)
    }
  )

  it("6.26 a server that is well for a while starts with the first wait, one that flaps does not", () => {
    const circuit = circuitOf({ probes: 1 })
    const opened = (now: number) => {
      play(circuit, "xxx", now)
      return circuit.delay(now)
    }
    expect(opened(0)).toBe(1000)
    circuit.probeSucceeded(probe(circuit, 1000), 1000)
    expect(opened(1100)).toBe(2000)
    circuit.probeSucceeded(probe(circuit, 3100), 3100)
    expect(opened(5100)).toBe(1000)
  })
})

describe("a half-open circuit", () => {
  it("6.26 lets one probe go, then the rest of them, and closes after the last", () => {
    const circuit = circuitOf()
    play(circuit, "xxx")
    const first = probe(circuit, 1000)
    expect(circuit.delay(1000)).toBe(1000)
    circuit.probeSucceeded(first, 1200)
    const second = probe(circuit, 1200)
    const third = probe(circuit, 1200)
    expect(circuit.delay(1200)).toBeGreaterThan(0)
    circuit.probeSucceeded(third, 1300)
    expect(circuit.isHalfOpen).toBe(true)
    circuit.probeSucceeded(second, 1300)
    expect(circuit.isClosed).toBe(true)
    expect(circuit.enter(1300)).toBeUndefined()
  })

  it("6.26 opens again with the first probe that fails, and the others of its round are ignored", () => {
    const circuit = circuitOf()
    play(circuit, "xxx")
    circuit.probeSucceeded(probe(circuit, 1000), 1000)
    const [second, third] = [probe(circuit, 1000), probe(circuit, 1000)]
    circuit.probeFailed(second, failure, 1100)
    expect(circuit.delay(1100)).toBe(2000)
    circuit.probeSucceeded(third, 1100)
    expect(circuit.isHalfOpen || circuit.isClosed).toBe(false)
    const next = probe(circuit, 3100)
    circuit.probeFailed(third, failure, 3100)
    expect(circuit.leave(third)).toBe(false)
    expect(circuit.delay(3100)).toBe(2000)
    expect(circuit.leave(next)).toBe(true)
    expect(circuit.leave(next)).toBe(false)
    expect(circuit.delay(3100)).toBe(0)
  })

  it("6.26 lets another probe go if the first hangs, and takes the result of either", () => {
    const circuit = circuitOf({ probes: 1 })
    play(circuit, "xxx")
    const first = probe(circuit, 1000)
    expect(circuit.delay(1999)).toBe(1)
    const second = probe(circuit, 2000)
    expect(circuit.delay(2000)).toBe(1000)
    circuit.probeSucceeded(first, 2500)
    expect(circuit.isClosed).toBe(true)
    circuit.probeFailed(second, failure, 2600)
    expect(circuit.isClosed).toBe(true)
  })
})

describe("the circuits of a client", () => {
  it("6.25 are at most a thousand: the one that failed longest ago goes, and is no longer counted as open", () => {
    const circuits = new Circuits(settings)
    let closed = 0
    for (let index = 0; index < 5000; index++) {
      circuits.get("busy")
      circuits.get(`origin ${index}`).onClosed = () => closed++
    }
    expect(closed).toBe(4001)
    const forgotten = circuits.get("busy")
    forgotten.onClosed = () => closed++
    circuits.forget("busy")
    forgotten.release()
    expect(closed).toBe(4002)
    circuits.get("busy")
    expect(circuits.find("busy")).toBeDefined()
    expect(circuits.find("origin 4000")).toBeUndefined()
    expect(circuits.find("origin 4001")).toBeDefined()
  })
})

describe("outcomes", () => {
  it("6.25 count those of the window alone, in slices", () => {
    const outcomes = new Outcomes(1000)
    for (let now = 0; now < 2000; now += 10) outcomes.add(now % 20 === 0, now)
    expect(outcomes.count(1999)).toEqual({ all: 100, failed: 50 })
    expect(outcomes.count(2450)).toEqual({ all: 50, failed: 25 })
    expect(outcomes.count(1e9)).toEqual({ all: 0, failed: 0 })
  })
})
