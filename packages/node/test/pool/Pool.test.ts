import { describe, expect, it } from "vitest"
import { type FakeConnection, PoolHarness, type TestExchange, turns } from "../fixtures/pools.js"

const refused = (): Error =>
  Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" })

const many = (harness: PoolHarness, count: number, connect?: number): Array<TestExchange> =>
  Array.from({ length: count }, () => harness.call(connect))

/** A harness with a connection that serves one exchange. */
const busy = async (
  options: ConstructorParameters<typeof PoolHarness>[0] = {}
): Promise<{ harness: PoolHarness; first: FakeConnection }> => {
  const harness = new PoolHarness(options)
  harness.call()
  await turns()
  const first = harness.attempts[0]?.succeed()
  if (first === undefined) throw new Error("nothing was tried")
  await turns()
  return { harness, first }
}

describe("a waiting exchange", () => {
  it("6.15 is served in order", async () => {
    const { harness, first } = await busy({ connections: 1 })
    const calls = many(harness, 20)
    const order: Array<TestExchange | undefined> = []
    for (const _ of calls) {
      first.finish()
      await turns()
      order.push(first.running[0])
    }
    expect(order).toEqual(calls)
    expect(harness.attempts).toHaveLength(1)
  })

  it("6.15 is served exactly once, with a thousand on one connection", async () => {
    const harness = new PoolHarness({ connections: 1 })
    const calls = many(harness, 1000)
    await turns()
    const only = harness.attempts[0]?.succeed()
    for (let served = 0; served < 1000; served++) {
      await turns(2)
      only?.finish()
    }
    await Promise.all(calls.map(({ ended }) => ended))
    expect(new Set(calls.map(({ result }) => result))).toEqual(new Set(["completed"]))
    expect(new Set(calls.map(({ results }) => results))).toEqual(new Set([1]))
    expect(harness.most).toBe(1)
    expect(harness.waits).toHaveLength(1000)
  })

  it("6.15 that waited longest gets the first connection, whichever it was opened for", async () => {
    const harness = new PoolHarness()
    const [one, two] = many(harness, 2)
    await turns()
    const connection = harness.attempts[1]?.succeed()
    expect(connection?.running).toEqual([one])
    await turns()
    // The first attempt continues for the other exchange: a third is not needed.
    expect(harness.pending).toHaveLength(1)
    expect(harness.attempts).toHaveLength(2)
    expect(harness.attempts[0]?.succeed().running).toEqual([two])
  })

  it("6.15 uses a connection that becomes free in the same turn, before another is opened", async () => {
    const { harness, first } = await busy()
    first.finish()
    const call = harness.call()
    await turns()
    expect(first.running).toEqual([call])
    expect(harness.attempts).toHaveLength(1)
  })
})

describe("an abandoned exchange", () => {
  it("8.6 aborts the attempt made for it, and no other", async () => {
    const harness = new PoolHarness()
    const [one, two] = many(harness, 2)
    await turns()
    one?.cancel()
    expect(harness.attempts.map(({ isAborted }) => isAborted)).toEqual([true, false])
    two?.cancel()
    expect(harness.pending).toEqual([])
    expect(harness.pool.isEmpty).toBe(true)
  })

  it("8.6 aborts a shared attempt with the last exchange that waits for it", async () => {
    const harness = new PoolHarness({ mayMultiplex: true })
    const [one, two, three] = many(harness, 3)
    await turns()
    expect(harness.attempts).toHaveLength(1)
    one?.cancel()
    three?.cancel()
    expect(harness.pending).toHaveLength(1)
    two?.cancel()
    expect(harness.pending).toEqual([])
    expect(harness.pool.isEmpty).toBe(true)
  })

  it("8.6 starts no attempt if it leaves in its first turn", async () => {
    const harness = new PoolHarness()
    harness.call().cancel()
    await turns()
    expect(harness.attempts).toEqual([])
    expect(harness.pool.isEmpty).toBe(true)
  })

  it("8.6 is not kept in the queue, even in great numbers", async () => {
    const { harness, first } = await busy({ connections: 1 })
    for (const call of many(harness, 1000)) call.cancel()
    const last = harness.call()
    first.finish()
    await turns()
    expect(first.running).toEqual([last])
    expect((harness.pool as unknown as { readonly waiting: Array<unknown> }).waiting.length).toBeLessThan(16)
  })
})

describe("a failed connection attempt", () => {
  it("6.11 fails all waiting exchanges if nothing else could serve them, each marked as not sent", async () => {
    const harness = new PoolHarness({ connections: 2 })
    const calls = many(harness, 5)
    await turns()
    for (const one of harness.pending) one.fail(refused())
    expect(calls.map(({ cause }) => cause)).toEqual(
      calls.map(() => expect.objectContaining({ code: "ECONNREFUSED", syscall: "connect" }))
    )
    expect(calls.map(({ results }) => results)).toEqual(calls.map(() => 1))
    await turns()
    expect(harness.attempts).toHaveLength(2)
    expect(harness.pool.isEmpty).toBe(true)
  })

  it("6.11 fails the exchange it was made for if other connections may serve the rest", async () => {
    const harness = new PoolHarness()
    const [one, two] = many(harness, 2)
    await turns()
    harness.attempts[0]?.fail(refused())
    expect(one?.cause).toMatchObject({ code: "ECONNREFUSED" })
    expect(harness.attempts[1]?.succeed().running).toEqual([two])
  })

  it("6.11 fails none if the exchange it was made for has been served", async () => {
    const { harness, first } = await busy()
    const waiting = harness.call()
    await turns()
    first.finish()
    await turns()
    expect(first.running).toEqual([waiting])
    const next = harness.call()
    await turns()
    harness.pending[0]?.fail(refused())
    await turns()
    expect(next.result).toBeUndefined()
    expect(harness.pending).toHaveLength(1)
    expect(harness.pending[0]?.succeed().running).toEqual([next])
  })

  it("6.15 ends with the timeout of its exchange, and a new one starts for the next", async () => {
    const harness = new PoolHarness({ connections: 1 })
    const one = harness.call(20)
    const two = harness.call()
    await one.ended
    expect(one.cause).toMatchObject({ code: "UND_ERR_CONNECT_TIMEOUT", syscall: "connect" })
    expect(harness.attempts[0]?.isAborted).toBe(true)
    await turns()
    expect(harness.attempts[1]?.succeed().running).toEqual([two])
  })

  it("6.15 that expires is a connect timeout, although other connections are in use", async () => {
    const { harness } = await busy({ acquire: 60_000 })
    const call = harness.call(20)
    await call.ended
    expect(call.cause).toMatchObject({ code: "UND_ERR_CONNECT_TIMEOUT" })
    expect(call.cause).not.toHaveProperty("limit")
    expect(harness.pending).toEqual([])
  })
})

describe("the acquire timeout", () => {
  it.each([
    { acquire: undefined, connect: 20 },
    { acquire: 20, connect: 60_000 }
  ])("6.15 expires if no connection becomes free: %o", async ({ acquire, connect }) => {
    const { harness } = await busy({ connections: 1, ...(acquire === undefined ? {} : { acquire }) })
    const call = harness.call(connect)
    await call.ended
    expect(call.cause).toMatchObject({ code: "ERR_NO_FREE_CONNECTION", syscall: "connect", limit: 20 })
    expect(harness.attempts).toHaveLength(1)
  })

  it("6.15 runs on its own for a shared connection that never opens", async () => {
    const harness = new PoolHarness({ mayMultiplex: true, acquire: 20 })
    const [one, two] = many(harness, 2)
    await two?.ended
    expect(two?.cause).toMatchObject({ code: "ERR_NO_FREE_CONNECTION", limit: 20 })
    expect(one?.result).toBeUndefined()
    one?.cancel()
  })
})

describe("connections", () => {
  it.each([1, 2, 7])("1.1 never number more than %i, whatever happens to them", async (connections) => {
    const harness = new PoolHarness({ connections })
    const calls: Array<TestExchange> = []
    const live: Array<FakeConnection> = []
    // A pseudo-random sequence that is the same in each run.
    let seed = connections
    const chance = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    for (let step = 0; step < 2000; step++) {
      const [what, pending] = [chance(7), harness.pending]
      const connection = live[chance(Math.max(live.length, 1))]
      if (what < 2) calls.push(harness.call())
      else if (what === 2) calls[chance(Math.max(calls.length, 1))]?.cancel()
      else if (what === 3) {
        const one = pending[chance(Math.max(pending.length, 1))]
        if (one !== undefined) live.push(one.succeed())
      } else if (what === 4) pending[chance(Math.max(pending.length, 1))]?.fail(refused())
      else if (what === 5 && connection !== undefined && connection.running.length > 0) connection.finish()
      else if (what === 6 && connection !== undefined && chance(5) === 0) {
        connection.destroy()
        live.splice(live.indexOf(connection), 1)
      }
      if (chance(3) === 0) await turns(2)
      expect(harness.open + harness.pending.length).toBeLessThanOrEqual(connections)
      for (const { running } of live) expect(running.length).toBeLessThanOrEqual(1)
    }
    for (const call of calls) call.cancel()
    harness.pool.destroy(() => new Error("closed"))
    await turns()
    expect(harness.pool.isEmpty).toBe(true)
    expect(harness.open).toBe(0)
    expect(calls.every(({ results }) => results <= 1)).toBe(true)
  })

  it("6.15 that all die at once make room for new ones", async () => {
    const harness = new PoolHarness({ connections: 3 })
    const first = many(harness, 3)
    const waiting = many(harness, 3)
    await turns()
    for (const connection of harness.pending.map((one) => one.succeed())) connection.destroy()
    await turns()
    expect(first.map(({ results }) => results)).toEqual([1, 1, 1])
    expect(harness.pending).toHaveLength(3)
    expect(harness.pending.flatMap((one) => one.succeed().running)).toEqual(waiting)
  })

  it("6.15 that died while idle serve no exchange", async () => {
    const { harness, first } = await busy()
    first.finish()
    await turns()
    first.isClosed = true
    const call = harness.call()
    await turns()
    expect(first.running).toEqual([])
    expect(harness.pending[0]?.succeed().running).toEqual([call])
  })

  it("1.1 are reused in most-recent-first order", async () => {
    const harness = new PoolHarness()
    many(harness, 2)
    await turns()
    const [one, two] = harness.attempts.map((each) => each.succeed())
    two?.finish()
    await turns()
    one?.finish()
    await turns()
    const call = harness.call()
    expect(one?.running).toEqual([call])
  })

  it("1.1 over HTTP/2: one is opened for many exchanges, and a second when it is full, up to the limit", async () => {
    const harness = new PoolHarness({ mayMultiplex: true, connections: 2 })
    const calls = many(harness, 5)
    await turns()
    expect(harness.attempts).toHaveLength(1)
    const one = harness.attempts[0]?.succeed("h2", 1)
    await turns()
    const two = harness.attempts[1]?.succeed("h2", 1)
    await turns()
    expect(harness.attempts).toHaveLength(2)
    expect([...(one?.running ?? []), ...(two?.running ?? [])]).toEqual(calls.slice(0, 2))
    for (const connection of [one, two, one]) {
      connection?.finish()
      await turns()
    }
    expect([one?.running[0], two?.running[0]]).toEqual([calls[4], calls[3]])
    expect(harness.most).toBe(2)
  })

  it("1.1 one is opened per waiting exchange if the peer selects HTTP/1.1", async () => {
    const harness = new PoolHarness({ mayMultiplex: true })
    many(harness, 4)
    await turns()
    expect(harness.attempts).toHaveLength(1)
    harness.attempts[0]?.succeed("http/1.1")
    await turns()
    expect(harness.attempts).toHaveLength(4)
  })
})

describe("closing the pool", () => {
  it("8.6 at once fails waiting exchanges as not sent and leaves nothing behind", async () => {
    const { harness, first } = await busy({ connections: 2 })
    const calls = many(harness, 3)
    await turns()
    expect(harness.pending).toHaveLength(1)
    harness.pool.destroy(() => Object.assign(new Error("closed"), { code: "UND_ERR_DESTROYED" }))
    expect(calls.map(({ cause }) => cause)).toEqual(
      calls.map(() => expect.objectContaining({ code: "UND_ERR_DESTROYED", syscall: "connect" }))
    )
    expect(harness.pending).toEqual([])
    expect(first.socket.destroyed).toBe(true)
    await turns()
    expect(harness.pool.isEmpty).toBe(true)
  })

  it("8.6 gracefully completes exchanges in flight and in the queue first", async () => {
    const { harness, first } = await busy({ connections: 1 })
    const calls = many(harness, 3)
    await turns()
    harness.pool.close()
    for (const call of calls) {
      expect([harness.emptied, call.result]).toEqual([0, undefined])
      first.finish()
      await turns()
    }
    first.finish()
    await turns()
    expect(calls.map(({ result }) => result)).toEqual(calls.map(() => "completed"))
    expect(first.socket.destroyed).toBe(true)
    expect(harness.emptied).toBe(1)
  })

  it("8.6 gracefully closes idle connections, and one that opens late", async () => {
    const { harness, first } = await busy()
    first.finish()
    await turns()
    const call = harness.call()
    const late = harness.call()
    await turns()
    harness.pool.close()
    expect(first.running).toEqual([call])
    const second = harness.pending[0]?.succeed()
    expect(second?.running).toEqual([late])
    first.finish()
    second?.finish()
    await turns()
    expect([first.socket.destroyed, second?.socket.destroyed]).toEqual([true, true])
    expect(harness.pool.isEmpty).toBe(true)
  })

  it("8.6 gracefully does not wait for a connection without a waiting exchange", async () => {
    const { harness, first } = await busy()
    const waiting = harness.call(Number.POSITIVE_INFINITY)
    await turns()
    first.finish()
    await turns()
    expect(first.running).toEqual([waiting])
    expect(harness.pending).toHaveLength(1)
    harness.pool.close()
    expect(harness.pending).toEqual([])
    first.finish()
    await turns()
    expect(harness.emptied).toBe(1)
  })

  it("8.6 gracefully does not wait for one whose exchange has been served meanwhile", async () => {
    const { harness, first } = await busy()
    harness.call(Number.POSITIVE_INFINITY)
    await turns()
    harness.pool.close()
    expect(harness.pending).toHaveLength(1)
    first.finish()
    await turns()
    expect(harness.pending).toEqual([])
    first.finish()
    await turns()
    expect(harness.emptied).toBe(1)
  })
})
