/** A process' part in shared limits: when it asks, when requests go, and what it does while Redis is away. */
import type { SharedLimits } from "@effect-api/client"
import { type RedisConnection, RedisLimits } from "@effect-api/redis"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { granting, type Scripted, scriptedConnection } from "../fixtures/scriptedConnection.js"

/** The requests of one key, which the test lets wait. */
const opened = (
  scripted: Scripted,
  {
    learns = false,
    onChange,
    quotas = [{ unit: "requests", limit: 100, millis: 1000 }],
    processes = 4
  }: {
    readonly learns?: boolean
    readonly onChange?: () => void
    readonly quotas?: ReadonlyArray<SharedLimits.Quota>
    readonly processes?: number
  } = {}
) => {
  const waiting: Array<SharedLimits.Costs> = []
  const changed = vi.fn()
  const closed = vi.fn()
  const states: Array<RedisLimits.State> = []
  const limits = RedisLimits.start({
    connection: scripted.connection,
    processes,
    timeout: 250,
    onChange: onChange ?? ((state) => states.push(state))
  })
  const open = (key: string) =>
    limits.open({ key, quotas, learns, waiting: (most) => waiting.slice(0, most), changed, closed })
  return { changed, closed, counter: open("https://api.test a{b}"), limits, open, states, waiting }
}

/** Lets promises settle, and this much time pass. */
const pass = (millis = 0) => vi.advanceTimersByTimeAsync(millis)

const askedOf = ({ args }: { readonly args: ReadonlyArray<string | number> }): Record<string, unknown> =>
  JSON.parse(String(args[0]))

const now = () => performance.now()

describe("a lease", () => {
  let scripted: Scripted
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
    scripted = scriptedConnection()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Replies to the last question. */
  const reply = async (value: unknown) => {
    await pass()
    scripted.questions.at(-1)?.reply(value)
    await pass()
  }

  it("13.4 asks once for all that wait, and lets each go at its time", async () => {
    const { changed, counter, waiting } = opened(scripted)
    waiting.push({}, {}, {})
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
    expect(scripted.questions).toHaveLength(1)
    const [question] = scripted.questions
    expect(question?.keys).toEqual([
      "effect-api:{https://api.test a%7Bb%7D}",
      "effect-api:{https://api.test a%7Bb%7D}:members"
    ])
    expect(question && askedOf(question)).toMatchObject({ count: 3, costs: [[1]] })
    await reply(granting([0, 10, 20]))
    expect(changed).toHaveBeenCalledTimes(1)
    expect(counter.wait({}, now())).toBe(0)
    counter.take({}, now())
    waiting.shift()
    expect(counter.wait({}, now())).toBe(10)
    await pass(10)
    expect(counter.wait({}, now())).toBe(0)
    counter.take({}, now())
    waiting.shift()
    expect(scripted.questions).toHaveLength(1)
  })

  it("13.4 a time that has passed is not used: it asks again", async () => {
    const { counter, waiting } = opened(scripted)
    waiting.push({})
    counter.wait({}, now())
    await reply(granting([0]))
    // A fiftieth of a second.
    await pass(21)
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
    expect(scripted.questions).toHaveLength(2)
  })

  it("13.4 a reply that comes late counts from when it was asked for", async () => {
    const { counter, waiting } = opened(scripted)
    waiting.push({})
    counter.wait({}, now())
    await pass(1)
    await reply(granting([0]))
    counter.take({}, now())
    counter.wait({}, now())
    await pass(100)
    await reply(granting([0]))
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
  })

  it("13.4 asks for more before the last time has passed", async () => {
    const { counter, waiting } = opened(scripted)
    waiting.push(...Array.from({ length: 100 }, () => ({})))
    counter.wait({}, now())
    await reply(granting([0, 0, 0, 0, 0, 0, 0, 0]))
    for (let n = 0; n < 5; n++) {
      counter.take({}, now())
      waiting.shift()
      counter.wait({}, now())
    }
    expect(scripted.questions).toHaveLength(1)
    counter.take({}, now())
    waiting.shift()
    expect(counter.wait({}, now())).toBe(0)
    expect(scripted.questions).toHaveLength(2)
  })

  it("13.4 waits as long as Redis asks for, where there is no time for it", async () => {
    const { counter } = opened(scripted)
    counter.wait({}, now())
    await reply(granting([], { wait: 30 }))
    expect(counter.wait({}, now())).toBe(30)
    expect(scripted.questions).toHaveLength(1)
    await pass(30)
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
    expect(scripted.questions).toHaveLength(2)
  })

  it("13.4 a request that costs more than the times that are there asks for its own", async () => {
    const { counter, waiting } = opened(scripted, { quotas: [{ unit: "tokens", limit: 1000, millis: 1000 }] })
    counter.wait({ tokens: 5 }, now())
    await reply(granting([0]))
    waiting.push({ tokens: 6 })
    expect(counter.wait({ tokens: 6 }, now())).toBe(Number.POSITIVE_INFINITY)
    expect(askedOf(scripted.questions[1] ?? { args: [] })).toMatchObject({ costs: [[6]] })
    expect(counter.wait({ tokens: 4.2 }, now())).toBe(0)
  })

  it("13.4 what was not sent can be used by the next", async () => {
    const { counter } = opened(scripted)
    counter.wait({}, now())
    await reply(granting([0]))
    counter.take({}, now()).giveBack()
    expect(counter.wait({}, now())).toBe(0)
  })

  it("13.4 what a request used otherwise, and one without a time, are reported", async () => {
    const { counter } = opened(scripted, { quotas: [{ unit: "tokens", limit: 1000, millis: 1000 }] })
    counter.wait({ tokens: 5 }, now())
    await reply(granting([0]))
    const taken = counter.take({ tokens: 5 }, now())
    taken.correct("tokens", -2)
    taken.correct("bananas", 7)
    counter.take({ tokens: 10 }, now())
    await pass(20)
    expect(askedOf(scripted.questions[1] ?? { args: [] })).toMatchObject({
      count: 0,
      corrections: { tokens: 8 }
    })
  })

  it("13.4 times that nobody waits for go back", async () => {
    const { counter, waiting } = opened(scripted)
    waiting.push({}, {}, {})
    counter.wait({}, now())
    await reply(granting([0, 10, 20], { grant: 7 }))
    waiting.length = 0
    counter.take({}, now())
    await pass(20)
    expect(askedOf(scripted.questions[1] ?? { args: [] })).toMatchObject({
      count: 0,
      release: { grant: 7, costs: [2] }
    })
  })

  it("13.5 a gate that it closes reaches Redis, and one that another closes reaches the requests", async () => {
    const { closed, counter } = opened(scripted)
    counter.wait({}, now())
    await reply(granting([0, 0]))
    counter.close?.(5000, 1000)
    const [, closing] = scripted.questions
    expect(closing?.args.slice(0, 2)).toEqual([1_000_000, "effect-api:gates"])
    const message = String(closing?.args[2])
    scripted.publish(message)
    expect(closed).not.toHaveBeenCalled()
    const [key, by] = JSON.parse(message)
    scripted.publish(JSON.stringify([key, `${by} of another`, 5000, 1000]))
    expect(closed).toHaveBeenCalledWith(5000, 1000, now())
    // What was reserved before is not used.
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
  })

  it.each([
    "",
    "x",
    "null",
    "{}",
    "[]",
    '["https://api.test a%7Bb%7D"]',
    '["https://api.test a%7Bb%7D","x",-1,1]',
    '["https://api.test a%7Bb%7D","x","1",1]',
    '["https://api.test a%7Bb%7D","x",1e999,null]',
    '["another key","x",1,1]',
    "[".repeat(10_000)
  ])("13.5 a message of another form is ignored: %#", async (message) => {
    const { closed } = opened(scripted)
    await pass()
    scripted.publish(message)
    expect(closed).not.toHaveBeenCalled()
  })

  it("13.5 a gate is heard of from the next reply too", async () => {
    const { closed, counter } = opened(scripted)
    counter.wait({}, now())
    await reply(granting([], { gate: 700, wait: 700, epoch: 1 }))
    expect(closed).toHaveBeenCalledWith(700, 700, now())
  })

  it("13.5 without quotas only gates are asked for, once a second", async () => {
    const { counter } = opened(scripted, { quotas: [] })
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
    await reply(granting([]))
    expect(counter.wait({}, now())).toBe(0)
    counter.take({}, now())
    await pass(999)
    expect(counter.wait({}, now())).toBe(0)
    expect(scripted.questions).toHaveLength(1)
    await pass(1)
    expect(counter.wait({}, now())).toBe(0)
    await pass()
    expect(scripted.questions).toHaveLength(2)
    expect(askedOf(scripted.questions[1] ?? { args: [] })).toMatchObject({ count: 0, quotas: [] })
  })

  it("13.6 what responses report is asked with, of at most 20 limits, and only where it has an end", async () => {
    const { counter } = opened(scripted, { quotas: [], learns: true })
    const limit = { unit: "requests", limit: 10, remaining: 3, resetMillis: 1000 }
    counter.observe?.([{ ...limit, name: "none", resetMillis: undefined }], now())
    counter.observe?.(
      Array.from({ length: 30 }, (_, index) => ({ ...limit, name: `limit ${index}` })),
      now()
    )
    await pass(20)
    const [question] = scripted.questions
    const { observed, units } = askedOf(question ?? { args: [] })
    expect(observed).toHaveLength(20)
    expect(observed).toContainEqual(["requests/limit 0", 10, 3, 980_000])
    expect(units).toEqual({ requests: 1 })
  })

  it("13.6 times from before a limit was known are not used by what costs some of it", async () => {
    const { counter, waiting } = opened(scripted, { quotas: [], learns: true })
    waiting.push({}, {})
    counter.wait({}, now())
    await reply(granting([0, 0]))
    counter.take({}, now())
    counter.observe?.(
      [{ name: "requests", unit: "requests", limit: 1, remaining: 0, resetMillis: 1000 }],
      now()
    )
    expect(counter.wait({ requests: 0 }, now())).toBe(0)
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
  })

  it("13.6 what a response reported reaches Redis with the time that is left until its reset", async () => {
    const { counter } = opened(scripted, { quotas: [], learns: true })
    const limit = { unit: "requests", limit: 10, remaining: 0 }
    counter.wait({}, now())
    counter.observe?.([{ ...limit, name: "early", resetMillis: 500 }], now())
    counter.observe?.([{ ...limit, name: "late", resetMillis: 1000 }], now())
    // A closed gate.
    await reply(granting([], { gate: 600, wait: 600, epoch: 1 }))
    await pass(600)
    counter.wait({}, now())
    expect(askedOf(scripted.questions[1] ?? { args: [] })).toMatchObject({
      observed: [["requests/late", 10, 0, 400_000]]
    })
  })

  const failures: ReadonlyArray<readonly [string, (scripted: Scripted) => Promise<void>]> = [
    ["rejects", async ({ questions }) => questions.at(-1)?.fail(new Error("gone"))],
    ["rejects with nothing", async ({ questions }) => questions.at(-1)?.fail(undefined)],
    ["does not reply", async () => void (await pass(260))],
    ...[
      null,
      undefined,
      "OK",
      1,
      {},
      [],
      [1],
      [2, 0, 1, 0, 1, 0, "1", "1", 0, 5],
      [0, 0, "x", 0, 1, 0, "1", "1", 0],
      [0, -1, 1, 0, 1, 0, "1", "1", 0],
      [0, null, 1, 0, 1, 0, "1", "1", 0],
      [0, Symbol("x"), 1, 0, 1, 0, "1", "1", 0],
      [0, Object.create(null), 1, 0, 1, 0, "1", "1", 0],
      [1, 0, 1, 0, 1, 0, "1", "1", 0, -1e18]
    ].map(
      (value, index) =>
        [
          `replies ${index}: ${JSON.stringify(value)}`,
          async ({ questions }: Scripted) => questions.at(-1)?.reply(value)
        ] as const
    )
  ]

  it.each(failures)("13.7 a Redis that %s: it keeps to its part, and comes back", async (_, fail) => {
    const { changed, counter, states, waiting } = opened(scripted)
    waiting.push({})
    counter.wait({}, now())
    await reply(granting([0], { members: 5 }))
    counter.take({}, now())
    counter.wait({}, now())
    await fail(scripted)
    await pass()
    expect(states).toMatchObject([{ _tag: "Alone", processes: 5 }])
    expect(changed).toHaveBeenCalledTimes(2)
    // A fifth of 100 a second, and a fiftieth for what is late.
    expect(Math.round(counter.wait({}, now()))).toBe(51)
    await pass(51)
    expect(counter.wait({}, now())).toBe(0)
    counter.take({}, now())
    expect(Math.round(counter.wait({}, now()))).toBe(51)
    expect(scripted.questions).toHaveLength(2)
    await pass(500)
    counter.wait({}, now())
    expect(scripted.questions).toHaveLength(3)
    await reply(granting([], { members: 1 }))
    expect(states.at(-1)).toEqual({ _tag: "Shared" })
    counter.wait({}, now())
    expect(scripted.questions).toHaveLength(4)
    // It was one of five: until the others are back it has its part.
    expect(askedOf(scripted.questions[3] ?? { args: [] })).toMatchObject({ fleet: 5 })
  })

  it("13.7 all who use a key in one process keep to one part of it, and count as one", async () => {
    const { counter, open } = opened(scripted)
    const key = "https://api.test a{b}"
    counter.wait({}, now())
    await reply(granting([], { members: 5 }))
    const others = [open(key), open(key)]
    for (const other of others) other.wait({}, now())
    expect(new Set(scripted.questions.map((question) => askedOf(question)["me"])).size).toBe(1)
    scripted.questions.at(-1)?.fail(new Error("gone"))
    await pass()
    const waits: Array<number> = []
    for (const each of [counter, ...others, open(key)]) {
      waits.push(Math.round(each.wait({}, now())))
      each.take({}, now())
    }
    // A fifth of 100 a second.
    expect(waits).toEqual([1, 2, 3, 4].map((turn) => Math.round((turn * 1020) / 20)))
  })

  it("13.4 while Redis is away, what costs nothing of a unit does not wait for it", async () => {
    const { counter } = opened(scripted, { quotas: [{ unit: "tokens", limit: 100, millis: 1000 }] })
    counter.wait({ tokens: 10 }, now())
    await reply(granting([]))
    counter.wait({ tokens: 10 }, now())
    scripted.questions.at(-1)?.fail(new Error("gone"))
    await pass()
    for (let n = 0; n < 3; n++) counter.take({ tokens: 10 }, now())
    const wait = counter.wait({ tokens: 10 }, now())
    expect(wait).toBeGreaterThan(0)
    expect(counter.wait({}, now())).toBe(0)
    counter.take({}, now())
    expect(counter.wait({ tokens: 10 }, now())).toBe(wait)
  })

  it("13.7 a gate that is closed meanwhile puts off no question, and one that Redis takes brings it back", async () => {
    const { counter, states } = opened(scripted)
    counter.wait({}, now())
    await reply(granting([]))
    counter.wait({}, now())
    scripted.questions.at(-1)?.fail(new Error("gone"))
    await pass()
    await pass(400)
    counter.close?.(1000, 1000)
    scripted.questions.at(-1)?.fail(new Error("gone"))
    await pass(100)
    counter.wait({}, now())
    expect(scripted.questions.at(-1)?.args).toHaveLength(1)
    scripted.questions.at(-1)?.fail(new Error("gone"))
    await pass()
    counter.close?.(1000, 1000)
    await reply(1)
    expect(states.map(({ _tag }) => _tag)).toEqual(["Alone", "Shared"])
  })

  it.each([
    [
      "throws",
      () => {
        throw new Error("the program's own")
      }
    ],
    ["rejects", () => Promise.reject(new Error("the program's own"))]
  ])("13.7 a listener that %s stops nothing", async (_, onChange) => {
    const { changed, counter } = opened(scripted, { onChange })
    counter.wait({}, now())
    await reply("OK")
    expect(changed).toHaveBeenCalledTimes(1)
    expect(counter.wait({}, now())).toBeLessThan(1000)
    await pass(500)
    counter.wait({}, now())
    await reply(granting([]))
    expect(changed).toHaveBeenCalledTimes(2)
  })

  it("13.7 a key that fewer processes use does not change what is known of the others", async () => {
    const { counter, open, states } = opened(scripted)
    counter.wait({}, now())
    await reply(granting([], { members: 10 }))
    open("https://other.test").wait({}, now())
    await reply(granting([], { members: 1 }))
    counter.wait({}, now())
    scripted.questions.at(-1)?.fail(new Error("gone"))
    await pass()
    expect(states).toMatchObject([{ _tag: "Alone", processes: 10 }])
    // A tenth of 100 a second.
    expect(Math.round(counter.wait({}, now()))).toBe(102)
  })

  it("13.7 a Redis that goes away again at once finds all processes counted", async () => {
    const { counter } = opened(scripted)
    counter.wait({}, now())
    await reply(granting([0], { members: 10 }))
    for (const _ of ["first", "second"]) {
      counter.take({}, now())
      counter.wait({}, now())
      scripted.questions.at(-1)?.fail(new Error("gone"))
      await pass()
      expect(Math.round(counter.wait({}, now()))).toBe(102)
      await pass(500)
      counter.wait({}, now())
      await reply(granting([], { members: 1, born: 2_000_000 }))
      counter.wait({}, now())
      await reply(granting([0], { members: 1, born: 2_000_000 }))
    }
  })

  it("13.7 what a request used beyond its estimate counts, for one that is alone too", async () => {
    const { counter } = opened(scripted, { quotas: [{ unit: "tokens", limit: 1000, millis: 1000 }] })
    counter.wait({ tokens: 5 }, now())
    await reply(granting([0], { members: 2 }))
    const taken = counter.take({ tokens: 5 }, now())
    taken.correct("tokens", 50)
    await pass(20)
    scripted.questions.at(-1)?.fail(new Error("gone"))
    await pass()
    // Half of 1,000 a second: 50 of them take about 100 ms.
    expect(Math.round(counter.wait({ tokens: 5 }, now()) / 10)).toBe(10)
    taken.correct("tokens", 50)
    expect(Math.round(counter.wait({ tokens: 5 }, now()) / 10)).toBe(21)
  })

  it("13.7 a gate is heard of from the reply that ends an outage", async () => {
    const { closed, counter } = opened(scripted)
    counter.wait({}, now())
    scripted.questions.at(-1)?.reply("OK")
    await pass(500)
    counter.wait({}, now())
    await reply(granting([], { gate: 700, wait: 700, epoch: 1 }))
    expect(closed).toHaveBeenCalledWith(700, 700, now())
  })

  it("13.4 a way to Redis that has become longer delays requests for a few replies only", async () => {
    const { counter } = opened(scripted)
    counter.wait({}, now())
    await pass(1)
    await reply(granting([0]))
    counter.take({}, now())
    let replies = 0
    for (; counter.wait({}, now()) > 0 && replies < 100; replies++) {
      await pass(80)
      await reply(granting([0]))
    }
    expect(replies).toBeLessThan(12)
  })

  it("13.4 a first reply that is slow is not used, where the next one is not", async () => {
    const { counter } = opened(scripted)
    counter.wait({}, now())
    await pass(30)
    await reply(granting([0]))
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
    await pass(30)
    await reply(granting([0]))
    expect(counter.wait({}, now())).toBe(0)
  })

  it("13.4 of two times the one that is too late is not used, in whatever order they came", async () => {
    const { counter, waiting } = opened(scripted)
    waiting.push({}, {})
    counter.wait({}, now())
    await reply(granting([15, 0]))
    await pass(21)
    expect(counter.wait({}, now())).toBe(0)
    counter.take({}, now())
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
  })

  it("13.4 what a request did not use goes back as long as its window lasts", async () => {
    const { counter } = opened(scripted, { quotas: [{ unit: "tokens", limit: 1000, millis: 1000 }] })
    counter.wait({ tokens: 5 }, now())
    await reply(granting([0]))
    const taken = counter.take({ tokens: 5 }, now())
    await pass(999)
    taken.correct("tokens", -2)
    await pass(20)
    expect(askedOf(scripted.questions.at(-1) ?? { args: [] })).toMatchObject({ corrections: { tokens: -2 } })
    await reply(granting([]))
    taken.correct("tokens", -2)
    await pass(20)
    expect(counter.isEmpty(now())).toBe(true)
  })

  it("13.8 a key whose times have passed can be forgotten", async () => {
    const { counter, waiting } = opened(scripted)
    waiting.push({})
    counter.wait({}, now())
    await reply(granting([0, 0]))
    await pass(100)
    expect(counter.isEmpty(now())).toBe(true)
  })

  it("13.8 what is reported while Redis is asked reaches it with the next question", async () => {
    const { counter } = opened(scripted, { quotas: [{ unit: "tokens", limit: 1000, millis: 1000 }] })
    counter.wait({ tokens: 5 }, now())
    await reply(granting([0]))
    const taken = counter.take({ tokens: 5 }, now())
    counter.wait({ tokens: 5 }, now())
    taken.correct("tokens", 7)
    await pass(100)
    expect(scripted.questions).toHaveLength(2)
    await reply(granting([]))
    await pass(20)
    expect(askedOf(scripted.questions[2] ?? { args: [] })).toMatchObject({ corrections: { tokens: 7 } })
  })

  it("13.7 what was sent alone counts after Redis has come back", async () => {
    const { counter } = opened(scripted, { quotas: [{ unit: "requests", limit: 4, millis: 60_000 }] })
    counter.wait({}, now())
    await reply(granting([0], { members: 4 }))
    counter.take({}, now())
    counter.wait({}, now())
    scripted.questions.at(-1)?.fail(new Error("gone"))
    await pass()
    const first = counter.wait({}, now())
    await pass(Math.ceil(first))
    expect(counter.wait({}, now())).toBe(0)
    counter.take({}, now())
    await reply(granting([], { members: 4 }))
    expect(counter.wait({}, now())).toBeGreaterThan(59_000)
  })

  it("13.7 one that has never reached Redis shares with as many as the program names", async () => {
    const { counter, states } = opened(scripted, { processes: 10 })
    counter.wait({}, now())
    // It tries again while the client connects.
    for (let n = 0; n < 14; n++) {
      scripted.questions.at(-1)?.fail(new Error("connecting"))
      await pass(20)
    }
    expect(scripted.questions.length).toBeGreaterThan(10)
    expect(states).toMatchObject([{ _tag: "Alone", processes: 10 }])
    const asked = () => askedOf(scripted.questions.at(-1) ?? { args: [] })
    // It has kept to its part since it gave up, 20 ms ago.
    expect(Math.round(counter.wait({}, now()))).toBe(82)
    // One that starts does not slow down the others when it finds Redis.
    await pass(500)
    counter.wait({}, now())
    expect(asked()).toMatchObject({ away: 0 })
  })

  it("13.7 a Redis that hangs at the start does not stop the calls", async () => {
    const { changed, counter } = opened(scripted, { quotas: [] })
    expect(counter.wait({}, now())).toBe(Number.POSITIVE_INFINITY)
    await pass(260)
    expect(changed).toHaveBeenCalled()
    expect(counter.wait({}, now())).toBe(0)
  })

  it("13.7 a subscription that is refused is tried again, and ends with the limits", async () => {
    scripted.subscriptions.isRefused = true
    const { counter, limits } = opened(scripted)
    await pass(50)
    expect(scripted.subscriptions.tried).toBeGreaterThan(2)
    scripted.subscriptions.isRefused = false
    await pass(50)
    expect(scripted.subscriptions.open).toBe(1)
    await limits.close()
    await limits.close()
    expect(scripted.subscriptions.open).toBe(0)
    expect(counter.wait({}, now())).toBeLessThan(100)
    expect(scripted.questions).toHaveLength(0)
  })

  it("13.7 limits that end while the subscription is made leave none", async () => {
    const { limits } = opened(scripted)
    await limits.close()
    await pass(100)
    expect(scripted.subscriptions.open).toBe(0)
  })

  const connections: ReadonlyArray<readonly [string, Partial<RedisConnection.RedisConnection>]> = [
    [
      "throws",
      {
        run: () => {
          throw new Error("run")
        },
        subscribe: () => {
          throw new Error("subscribe")
        }
      }
    ],
    ["never subscribes", { subscribe: () => new Promise(() => {}) }],
    ["cannot end its subscription", { subscribe: async () => () => Promise.reject(new Error("end")) }]
  ]

  it.each(connections)("13.7 a connection that %s stops neither the calls nor the end", async (_, odd) => {
    const { changed, counter, limits } = opened({
      ...scripted,
      connection: { ...scripted.connection, ...odd }
    })
    counter.wait({}, now())
    await pass(300)
    expect(changed).toHaveBeenCalled()
    expect(counter.wait({}, now())).toBeLessThan(1000)
    const ended = limits.close()
    await pass(300)
    await ended
  })

  it("13.7 limits that have ended hear of no gate", async () => {
    let send = (_: string) => {}
    const subscribe: RedisConnection.RedisConnection["subscribe"] = async (_, listener) => {
      send = listener
      return async () => {}
    }
    const { closed, limits } = opened({ ...scripted, connection: { ...scripted.connection, subscribe } })
    await limits.close()
    send(JSON.stringify(["https://api.test a%7Bb%7D", "another", 5, 5]))
    expect(closed).not.toHaveBeenCalled()
  })

  it("13.8 a key that is forgotten hears of no gate", async () => {
    const { closed, counter } = opened(scripted)
    await pass()
    expect(counter.isEmpty(now())).toBe(true)
    counter.end?.()
    scripted.publish(JSON.stringify(["https://api.test a%7Bb%7D", "another", 5, 5]))
    expect(closed).not.toHaveBeenCalled()
  })

  it("13.4 a quota without a limit is none", async () => {
    const { counter } = opened(scripted, {
      quotas: [{ unit: "requests", limit: Number.POSITIVE_INFINITY, millis: 1000 }]
    })
    counter.wait({}, now())
    await reply(granting([]))
    expect(counter.wait({}, now())).toBe(0)
  })
})
