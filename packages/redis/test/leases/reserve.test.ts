/** The script that reserves times, on a real Redis: whatever is asked, no window holds more than its limit. */

import { setTimeout as delay } from "node:timers/promises"
import { RedisConnection } from "@effect-api/redis"
import { FastCheck as fc } from "effect"
import { Redis } from "ioredis"
import { afterAll, beforeAll, expect, it } from "vitest"
import * as Messages from "../../src/leases/messages.js"
import * as Scripts from "../../src/leases/scripts.js"
import { describeWithRedis, type RedisServer, startRedis } from "../fixtures/redisServer.js"

const day = 86_400_000_000

/** A question that grants all that is asked: its horizon is a day. */
const question = (asked: Partial<Messages.Asked>): Messages.Asked => ({
  me: "one",
  count: asked.costs?.length ?? 1,
  costs: [[1]],
  quotas: [],
  units: {},
  observed: [],
  corrections: {},
  release: undefined,
  horizon: day,
  born: 0,
  ahead: -60_000_000,
  members: 0,
  away: 0,
  fleet: 1,
  grace: 3_000_000,
  memberFor: 60_000_000,
  most: 60_000_000,
  ...asked
})

const requests = (limit: number, millis = 1000) => Messages.quotaOf({ unit: "requests", limit, millis })

/** A granted request: when it goes, in microseconds of Redis' clock, and what it costs. */
interface Sent {
  readonly at: number
  readonly costs: ReadonlyArray<number>
}

/** The most of one cost in any window of this length. */
const mostIn = (sent: ReadonlyArray<Sent>, index: number, micros: number): number => {
  const sorted = [...sent].sort((left, right) => left.at - right.at)
  let most = 0
  let sum = 0
  let first = 0
  for (const { at, costs } of sorted) {
    sum += costs[index] ?? 0
    for (; at - (sorted[first]?.at ?? at) >= micros; first++) sum -= sorted[first]?.costs[index] ?? 0
    most = Math.max(most, sum)
  }
  return most
}

describeWithRedis("reserving times", () => {
  let server: RedisServer
  let redis: Redis
  let connection: RedisConnection.RedisConnection
  let keys = 0
  beforeAll(async () => {
    server = await startRedis()
    redis = new Redis({ path: server.path })
    connection = RedisConnection.fromIoredis(redis)
    await redis.ping()
  })
  afterAll(async () => {
    redis?.disconnect()
    await server?.[Symbol.asyncDispose]()
  })

  /** Asks about a key, and returns what is granted. */
  const asking = (key = `{k${++keys}}`) => {
    const ask = async (asked: Partial<Messages.Asked>): Promise<Messages.Granted> => {
      const reply = await connection.run(
        Scripts.limits,
        [key, `${key}:members`],
        [Messages.encode(question(asked))]
      )
      const granted = Messages.decode(reply)
      if (granted === undefined) throw new Error(`no grant: ${String(reply)}`)
      return granted
    }
    return { ask, key }
  }

  const limited = fc.record({
    limit: fc.integer({ min: 1, max: 3000 }),
    millis: fc.constantFrom(10, 100, 1000, 60_000),
    costs: fc.array(
      fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 4000 })),
      { minLength: 1, maxLength: 60 }
    ),
    batch: fc.integer({ min: 1, max: 40 })
  })

  it("13.4 no window holds more than the limit, however late each request is within the tolerance", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(limited, { minLength: 1, maxLength: 2 }), async (limits) => {
        const { ask } = asking()
        const quotas = limits.map(({ limit, millis }, index) =>
          Messages.quotaOf({ unit: `unit ${index}`, limit, millis })
        )
        const [first] = limits
        if (first === undefined) return
        const sent: Array<Sent> = []
        for (let from = 0; from < first.costs.length; from += first.batch) {
          const costs = first.costs
            .slice(from, from + first.batch)
            .map((cost, index) => limits.map((each, at) => (at === 0 ? cost : (each.costs[index] ?? 0))))
          const { at, times } = await ask({ quotas, costs })
          expect(times).toHaveLength(costs.length)
          sent.push(...times.map((millis, index) => ({ at: at + millis * 1000, costs: costs[index] ?? [] })))
        }
        for (const [index, { limit, toleranceMicros, windowMicros }] of quotas.entries()) {
          const capped = sent.map(({ at, costs }) => ({
            at,
            costs: costs.map((cost) => Math.min(cost, limit))
          }))
          // Times are rounded down to microseconds.
          expect(mostIn(capped, index, windowMicros + toleranceMicros - 2)).toBeLessThanOrEqual(limit)
        }
      }),
      { numRuns: 300 }
    )
  })

  it.each([1, 2, 7, 50, 1000, 100_000])("13.4 a limit of %d is used to 97 percent", async (limit) => {
    const { ask } = asking()
    const quotas = [requests(limit)]
    const count = Math.min(2000, 10 * limit)
    const { times } = await ask({ quotas, costs: Array.from({ length: count }, () => [1]) })
    const seconds = (times.at(-1) ?? 0) / 1000
    expect((count - 1) / seconds / limit).toBeGreaterThan(0.97)
  })

  it("13.4 one that asks late may catch up with a 250th of the limit, and no more", async () => {
    const { ask } = asking()
    const { times } = await ask({ quotas: [requests(1000)], costs: Array.from({ length: 10 }, () => [1]) })
    expect(times.filter((millis) => millis === 0)).toHaveLength(5)
  })

  it("13.4 the horizon is shared out by those who ask", async () => {
    const { ask } = asking()
    const many = { quotas: [requests(1000)], count: 500, costs: [[1]], horizon: 100_000 }
    const alone = await ask({ ...many, me: "0" })
    expect(alone.times.length).toBeGreaterThan(80)
    for (const me of ["1", "2", "3"]) await ask({ ...many, me })
    const { members, times, waitMillis } = await ask({ ...many, me: "4" })
    expect(members).toBe(5)
    expect(times.length).toBeLessThanOrEqual(20)
    expect(waitMillis).toBeLessThanOrEqual(100)
  })

  it("13.4 what costs nothing of a unit waits for no turn of it, and puts none back", async () => {
    const { ask } = asking()
    const quotas = [requests(1000), Messages.quotaOf({ unit: "tokens", limit: 1000, millis: 10_000 })]
    const heavy = { quotas, costs: [[1, 300]] }
    const first = await ask(heavy)
    const free = await ask({ quotas, costs: [[1, 0]] })
    expect(free.times[0]).toBeLessThan(100)
    const [after = 0] = (await ask(heavy)).times
    expect(after).toBeGreaterThan(1000)
    const fresh = asking()
    expect((await fresh.ask({ quotas, costs: [[1, 0]] })).times).toEqual([0])
    expect((await fresh.ask(heavy)).times[0]).toBeLessThanOrEqual((first.times[0] ?? 0) + 1)
  })

  it("13.4 a slow limit is reserved once for each process, in turn", async () => {
    const { ask } = asking()
    const one = { quotas: [requests(50, 60_000)], count: 10, costs: [[1]], horizon: 100_000 }
    const first = await ask({ ...one, me: "a" })
    expect(first.times).toEqual([0])
    const second = await ask({ ...one, me: "b" })
    expect(second.times).toHaveLength(1)
    expect(Math.round((second.times[0] ?? 0) / 100)).toBe(12)
  })

  it("13.4 what nobody needs goes back, while nobody has reserved since", async () => {
    const { ask } = asking()
    const quotas = [requests(10)]
    const costs = Array.from({ length: 10 }, () => [1])
    const first = await ask({ quotas, costs })
    const back = await ask({ quotas, costs: [[1]], release: { grant: first.grant, costs: [9] } })
    expect(back.times[0]).toBeLessThan(200)
    const late = await ask({ quotas, costs: [[1]], release: { grant: first.grant, costs: [9] } })
    expect(late.times[0]).toBeGreaterThan(back.times[0] ?? 0)
  })

  it("13.4 what a request used beyond its estimate delays the next, and what it did not use does not", async () => {
    const { ask } = asking()
    const quotas = [Messages.quotaOf({ unit: "tokens", limit: 1000, millis: 1000 })]
    await ask({ quotas, costs: [[100]] })
    const more = await ask({ quotas, costs: [[100]], corrections: { tokens: 300 } })
    expect(more.times[0]).toBeGreaterThan(400)
    expect(more.times[0]).toBeLessThan(500)
    const less = await ask({ quotas, costs: [[100]], corrections: { tokens: -300 } })
    expect(less.times[0]).toBeLessThan(more.times[0] ?? 0)
  })

  it("13.5 a closed gate grants nothing, and opens paced", async () => {
    const { ask, key } = asking()
    const quotas = [requests(100)]
    await ask({ quotas })
    await connection.run(Scripts.limits, [key, `${key}:members`], [200_000, "gates", "a message"])
    const closed = await ask({ quotas })
    expect(closed).toMatchObject({ times: [], epoch: 1 })
    expect(closed.gateMillis).toBeGreaterThan(100)
    expect(closed.waitMillis).toBe(closed.gateMillis)
    await connection.run(Scripts.limits, [key, `${key}:members`], [1000, "gates", "a shorter one"])
    expect((await ask({ quotas })).gateMillis).toBeGreaterThan(100)
  })

  it("13.6 what responses report is kept by all: what is left, until the reset", async () => {
    const { ask } = asking()
    const seen = { name: "requests", unit: "requests", limit: 100, remaining: 3, resetMicros: 5_000_000 }
    const asked = { units: { requests: 1 }, costs: Array.from({ length: 5 }, () => [1]) }
    const { times } = await ask({ ...asked, observed: [seen] })
    expect(times.map((millis) => Math.round(millis / 1000))).toEqual([0, 0, 0, 5, 5])
  })

  it("13.6 all processes together have the limit after a reset, until a response reports what is left", async () => {
    const { ask } = asking()
    const seen = { name: "requests", unit: "requests", limit: 3, remaining: 0, resetMicros: 30_000 }
    const asked = { units: { requests: 1 }, costs: [[1], [1]], horizon: 1 }
    await ask({ ...asked, observed: [seen] })
    await delay(40)
    const counts = []
    for (const me of ["a", "b", "c"]) counts.push((await ask({ ...asked, me })).times.length)
    expect(counts).toEqual([2, 1, 0])
  })

  it("13.6 a report of more than is left is not believed before the reset, and a later window is", async () => {
    const { ask } = asking()
    const seen = { name: "requests", unit: "requests", limit: 100, remaining: 3, resetMicros: 5_000_000 }
    const asked = { units: { requests: 1 }, costs: Array.from({ length: 3 }, () => [1]) }
    await ask({ ...asked, observed: [seen] })
    const stale = await ask({ ...asked, observed: [{ ...seen, remaining: 50 }] })
    expect(stale.times.map((millis) => Math.round(millis / 1000))).toEqual([5, 5, 5])
    const next = await ask({ ...asked, observed: [{ ...seen, remaining: 50, resetMicros: 9_000_000 }] })
    expect(next.times).toEqual([0, 0, 0])
  })

  it("13.6 a reset beyond what the client would wait is left to the server", async () => {
    const { ask } = asking()
    const seen = { name: "requests", unit: "requests", limit: 100, remaining: 0, resetMicros: 3_600_000_000 }
    const { times } = await ask({ units: { requests: 1 }, observed: [seen] })
    expect(times).toEqual([0])
  })

  it("13.7 a Redis that has lost its memory waits for what may be reserved still", async () => {
    const { ask } = asking()
    const quotas = [requests(1000)]
    const { born } = await ask({ quotas })
    const known = { quotas, born, horizon: 100_000 }
    expect((await asking().ask({ ...known, ahead: 50_000 })).times).toEqual([100])
    // The others tell of what is theirs when they ask.
    const fresh = asking()
    await fresh.ask({ quotas })
    const { aheadMillis } = await fresh.ask({ ...known, count: 0, costs: [], ahead: 700_000 })
    expect(Math.round(aheadMillis)).toBe(700)
  })

  it("13.7 those who come back first have their part only", async () => {
    const { ask } = asking()
    const many = { quotas: [requests(1000)], costs: Array.from({ length: 11 }, () => [1]), fleet: 8 }
    const { times } = await ask(many)
    // One of eight: a request in about 8 ms.
    const [first = 0, last = 0] = [times[5], times[10]]
    expect(Math.round((last - first) / 5)).toBe(8)
  })

  it("13.7 those who come back first have their part only, of a Redis that remembers too", async () => {
    const { ask } = asking()
    const many = { quotas: [requests(1000)], costs: Array.from({ length: 11 }, () => [1]) }
    for (const me of ["a", "b", "c", "d"]) await ask({ ...many, me, count: 0, costs: [] })
    const none = { count: 0, costs: [], fleet: 4 }
    await ask({ ...many, ...none, me: "a", away: 1 })
    const { times } = await ask({ ...many, me: "a", fleet: 4 })
    const [first = 0, last = 0] = [times[5], times[10]]
    expect(Math.round((last - first) / 5)).toBe(4)
    // One that comes back has used its part alone, until it asks for more.
    for (const me of ["b", "c", "d"]) await ask({ ...many, ...none, me, away: 1_000_000 })
    const some = await ask({ ...many, me: "a", fleet: 4 })
    expect(Math.round(((some.times[10] ?? 0) - (some.times[0] ?? 0)) / 10)).toBe(4)
    for (const me of ["b", "c"]) await ask({ ...many, ...none, me })
    const all = await ask({ ...many, me: "d", fleet: 4 })
    expect(Math.round(((all.times[10] ?? 0) - (all.times[0] ?? 0)) / 10)).toBe(1)
  })

  it("13.7 a process that waits for its turn at a slow limit is counted", async () => {
    const { ask } = asking()
    const slow = { quotas: [requests(2, 60_000)], horizon: 100_000, memberFor: 1000 }
    await ask({ ...slow, me: "a" })
    await ask({ ...slow, me: "b" })
    await delay(5)
    expect((await ask({ ...slow, me: "c" })).members).toBe(3)
  })

  it("13.4 whatever a request used, a whole window ends it", async () => {
    const { ask } = asking()
    const quotas = [Messages.quotaOf({ unit: "tokens", limit: 1000, millis: 1000 })]
    const { times } = await ask({ quotas, costs: [[1]], horizon: 100_000, corrections: { tokens: 1e12 } })
    expect(times).toEqual([])
    const { aheadMillis } = await ask({ quotas, count: 0, costs: [], horizon: 100_000 })
    expect(aheadMillis).toBeLessThan(1200)
  })

  const fields: ReadonlyArray<readonly [string, string]> = [
    ["tat:requests", "abc"],
    ["tat:requests", "nan"],
    ["tat:requests", "inf"],
    ["tat:requests", "1e300"],
    ["gate", "inf"],
    ["gate", "-1e300"],
    ["born", "x"],
    ["lost", "nan"],
    ["fleet", "inf"],
    ["grant", "{"],
    ["largest:requests", "inf"],
    ["since:requests", "-inf"],
    ["left:requests/x", "{"],
    ["left:requests/x", "[1]"],
    ["left:requests/x", "7"],
    ["left:requests/x", '["a","b","c","d"]'],
    ["at", "1e16"]
  ]

  it.each(fields)("13.8 a field of another form stops nobody: %s = %s", async (name, value) => {
    const { ask, key } = asking()
    const seen = { name: "x", unit: "requests", limit: 9, remaining: 9, resetMicros: 9 }
    const asked = { quotas: [requests(1000)], units: { requests: 2 }, costs: [[1, 1]], horizon: 100_000 }
    await ask(asked)
    await redis.hset(key, name, value)
    expect((await ask(asked)).times).toHaveLength(1)
    await redis.hset(key, name, value)
    expect((await ask({ ...asked, observed: [seen] })).times).toHaveLength(1)
  })

  it("13.8 times of another clock mean nothing", async () => {
    const { ask, key } = asking()
    const asked = { quotas: [requests(1000)], horizon: 100_000 }
    const { at } = await ask(asked)
    const later = String(at + 3_600_000_000)
    await redis.hset(key, "at", later, "tat:requests", later, "gate", later, "born", later)
    await redis.zadd(`${key}:members`, later, "another")
    expect(await ask(asked)).toMatchObject({ gateMillis: 0, members: 1, times: [0] })
  })

  it("13.8 every key has an end, and both are in one slot", async () => {
    const { ask, key } = asking()
    await ask({ quotas: [requests(10, 60_000)], costs: Array.from({ length: 10 }, () => [1]) })
    await connection.run(Scripts.limits, [`${key}:other`, key], [1000, "gates", ""])
    const names = await redis.keys(`${key}*`)
    expect(names).toHaveLength(3)
    for (const name of names) expect(await redis.pttl(name)).toBeGreaterThan(59_000)
  })

  it.each([
    ["no number", "x"],
    ["no limit", JSON.stringify({})]
  ])("13.8 an invalid question fails, and writes nothing: %s", async (_, text) => {
    const { key } = asking()
    await expect(connection.run(Scripts.limits, [key, `${key}:members`], [text])).rejects.toThrow()
    expect(await redis.exists(key)).toBe(0)
  })
})
