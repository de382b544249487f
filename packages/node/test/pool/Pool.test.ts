import { describe, expect, it } from "vitest"
import { Bench, type Call, type Fake, turns } from "../fixtures/pools.js"

const refused = (): Error =>
  Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" })

const many = (bench: Bench, count: number, connect?: number): Array<Call> =>
  Array.from({ length: count }, () => bench.call(connect))

/** A bench with a connection that serves one exchange. */
const busy = async (
  options: ConstructorParameters<typeof Bench>[0] = {}
): Promise<{ bench: Bench; first: Fake }> => {
  const bench = new Bench(options)
  bench.call()
  await turns()
  const first = bench.tries[0]?.succeed()
  if (first === undefined) throw new Error("nothing was tried")
  await turns()
  return { bench, first }
}

describe("a waiting exchange", () => {
  it("6.15 is served in order", async () => {
    const { bench, first } = await busy({ connections: 1 })
    const calls = many(bench, 20)
    const order: Array<Call | undefined> = []
    for (const _ of calls) {
      first.finish()
      await turns()
      order.push(first.running[0])
    }
    expect(order).toEqual(calls)
    expect(bench.tries).toHaveLength(1)
  })

  it("6.15 is served exactly once, with a thousand on one connection", async () => {
    const bench = new Bench({ connections: 1 })
    const calls = many(bench, 1000)
    await turns()
    const only = bench.tries[0]?.succeed()
    for (let served = 0; served < 1000; served++) {
      await turns(2)
      only?.finish()
    }
    await Promise.all(calls.map(({ ended }) => ended))
    expect(new Set(calls.map(({ result }) => result))).toEqual(new Set(["completed"]))
    expect(new Set(calls.map(({ results }) => results))).toEqual(new Set([1]))
    expect(bench.most).toBe(1)
    expect(bench.waits).toHaveLength(1000)
  })

  it("6.15 that waited longest gets the first connection, whichever it was opened for", async () => {
    const bench = new Bench()
    const [one, two] = many(bench, 2)
    await turns()
    const connection = bench.tries[1]?.succeed()
    expect(connection?.running).toEqual([one])
    await turns()
    // The first attempt continues for the other exchange: a third is not needed.
    expect(bench.pending).toHaveLength(1)
    expect(bench.tries).toHaveLength(2)
    expect(bench.tries[0]?.succeed().running).toEqual([two])
  })

  it("6.15 uses a connection that becomes free in the same turn, before another is opened", async () => {
    const { bench, first } = await busy()
    first.finish()
    const call = bench.call()
    await turns()
    expect(first.running).toEqual([call])
    expect(bench.tries).toHaveLength(1)
  })
})

describe("an abandoned exchange", () => {
  it("8.6 aborts the attempt made for it, and no other", async () => {
    const bench = new Bench()
    const [one, two] = many(bench, 2)
    await turns()
    one?.cancel()
    expect(bench.tries.map(({ isAborted }) => isAborted)).toEqual([true, false])
    two?.cancel()
    expect(bench.pending).toEqual([])
    expect(bench.pool.isEmpty).toBe(true)
  })

  it("8.6 leaves no shared attempt behind: the last one aborts it", async () => {
    const bench = new Bench({ mayMultiplex: true })
    const [one, two, three] = many(bench, 3)
    await turns()
    expect(bench.tries).toHaveLength(1)
    one?.cancel()
    three?.cancel()
    expect(bench.pending).toHaveLength(1)
    two?.cancel()
    expect(bench.pending).toEqual([])
    expect(bench.pool.isEmpty).toBe(true)
  })

  it("8.6 starts no attempt if it leaves in its first turn", async () => {
    const bench = new Bench()
    bench.call().cancel()
    await turns()
    expect(bench.tries).toEqual([])
    expect(bench.pool.isEmpty).toBe(true)
  })

  it("8.6 is not kept in the queue, even in great numbers", async () => {
    const { bench, first } = await busy({ connections: 1 })
    for (const call of many(bench, 1000)) call.cancel()
    const last = bench.call()
    first.finish()
    await turns()
    expect(first.running).toEqual([last])
    expect((bench.pool as unknown as { readonly waiting: Array<unknown> }).waiting.length).toBeLessThan(16)
  })
})

describe("a failed connection attempt", () => {
  it("6.11 fails all waiting exchanges if nothing else could serve them, each marked as not sent", async () => {
    const bench = new Bench({ connections: 2 })
    const calls = many(bench, 5)
    await turns()
    for (const one of bench.pending) one.fail(refused())
    expect(calls.map(({ cause }) => cause)).toEqual(
      calls.map(() => expect.objectContaining({ code: "ECONNREFUSED", syscall: "connect" }))
    )
    expect(calls.map(({ results }) => results)).toEqual(calls.map(() => 1))
    await turns()
    expect(bench.tries).toHaveLength(2)
    expect(bench.pool.isEmpty).toBe(true)
  })

  it("6.11 fails the exchange it was made for if other connections may serve the rest", async () => {
    const bench = new Bench()
    const [one, two] = many(bench, 2)
    await turns()
    bench.tries[0]?.fail(refused())
    expect(one?.cause).toMatchObject({ code: "ECONNREFUSED" })
    expect(bench.tries[1]?.succeed().running).toEqual([two])
  })

  it("6.11 fails none if the exchange it was made for has been served", async () => {
    const { bench, first } = await busy()
    const waiting = bench.call()
    await turns()
    first.finish()
    await turns()
    expect(first.running).toEqual([waiting])
    const next = bench.call()
    await turns()
    bench.pending[0]?.fail(refused())
    await turns()
    expect(next.result).toBeUndefined()
    expect(bench.pending).toHaveLength(1)
    expect(bench.pending[0]?.succeed().running).toEqual([next])
  })

  it("6.15 ends with the timeout of its exchange, and a new one starts for the next", async () => {
    const bench = new Bench({ connections: 1 })
    const one = bench.call(20)
    const two = bench.call()
    await one.ended
    expect(one.cause).toMatchObject({ code: "UND_ERR_CONNECT_TIMEOUT", syscall: "connect" })
    expect(bench.tries[0]?.isAborted).toBe(true)
    await turns()
    expect(bench.tries[1]?.succeed().running).toEqual([two])
  })

  it("6.15 that expires is a connect timeout, although other connections are in use", async () => {
    const { bench } = await busy({ acquire: 60_000 })
    const call = bench.call(20)
    await call.ended
    expect(call.cause).toMatchObject({ code: "UND_ERR_CONNECT_TIMEOUT" })
    expect(call.cause).not.toHaveProperty("limit")
    expect(bench.pending).toEqual([])
  })
})

describe("the acquire timeout", () => {
  it.each([
    { acquire: undefined, connect: 20 },
    { acquire: 20, connect: 60_000 }
  ])("6.15 expires if no connection becomes free: %o", async ({ acquire, connect }) => {
    const { bench } = await busy({ connections: 1, ...(acquire === undefined ? {} : { acquire }) })
    const call = bench.call(connect)
    await call.ended
    expect(call.cause).toMatchObject({ code: "ERR_NO_FREE_CONNECTION", syscall: "connect", limit: 20 })
    expect(bench.tries).toHaveLength(1)
  })

  it("6.15 runs on its own for a shared connection that never opens", async () => {
    const bench = new Bench({ mayMultiplex: true, acquire: 20 })
    const [one, two] = many(bench, 2)
    await two?.ended
    expect(two?.cause).toMatchObject({ code: "ERR_NO_FREE_CONNECTION", limit: 20 })
    expect(one?.result).toBeUndefined()
    one?.cancel()
  })
})

describe("connections", () => {
  it.each([1, 2, 7])("1.1 never number more than %i, whatever happens to them", async (connections) => {
    const bench = new Bench({ connections })
    const calls: Array<Call> = []
    const live: Array<Fake> = []
    // A pseudo-random sequence that is the same in each run.
    let seed = connections
    const chance = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    for (let step = 0; step < 2000; step++) {
      const [what, pending] = [chance(7), bench.pending]
      const connection = live[chance(Math.max(live.length, 1))]
      if (what < 2) calls.push(bench.call())
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
      expect(bench.open + bench.pending.length).toBeLessThanOrEqual(connections)
      for (const { running } of live) expect(running.length).toBeLessThanOrEqual(1)
    }
    for (const call of calls) call.cancel()
    bench.pool.destroy(() => new Error("closed"))
    await turns()
    expect(bench.pool.isEmpty).toBe(true)
    expect(bench.open).toBe(0)
    expect(calls.every(({ results }) => results <= 1)).toBe(true)
  })

  it("6.15 that all die at once make room for new ones", async () => {
    const bench = new Bench({ connections: 3 })
    const first = many(bench, 3)
    const waiting = many(bench, 3)
    await turns()
    for (const connection of bench.pending.map((one) => one.succeed())) connection.destroy()
    await turns()
    expect(first.map(({ results }) => results)).toEqual([1, 1, 1])
    expect(bench.pending).toHaveLength(3)
    expect(bench.pending.flatMap((one) => one.succeed().running)).toEqual(waiting)
  })

  it("6.15 that died while idle serve no exchange", async () => {
    const { bench, first } = await busy()
    first.finish()
    await turns()
    first.isClosed = true
    const call = bench.call()
    await turns()
    expect(first.running).toEqual([])
    expect(bench.pending[0]?.succeed().running).toEqual([call])
  })

  it("1.1 are reused in most-recent-first order", async () => {
    const bench = new Bench()
    many(bench, 2)
    await turns()
    const [one, two] = bench.tries.map((each) => each.succeed())
    two?.finish()
    await turns()
    one?.finish()
    await turns()
    const call = bench.call()
    expect(one?.running).toEqual([call])
  })

  it("1.1 over HTTP/2: one is opened for many exchanges, and a second when it is full, up to the limit", async () => {
    const bench = new Bench({ mayMultiplex: true, connections: 2 })
    const calls = many(bench, 5)
    await turns()
    expect(bench.tries).toHaveLength(1)
    const one = bench.tries[0]?.succeed("h2", 1)
    await turns()
    const two = bench.tries[1]?.succeed("h2", 1)
    await turns()
    expect(bench.tries).toHaveLength(2)
    expect([...(one?.running ?? []), ...(two?.running ?? [])]).toEqual(calls.slice(0, 2))
    for (const connection of [one, two, one]) {
      connection?.finish()
      await turns()
    }
    expect([one?.running[0], two?.running[0]]).toEqual([calls[4], calls[3]])
    expect(bench.most).toBe(2)
  })

  it("1.1 one is opened per waiting exchange if the peer selects HTTP/1.1", async () => {
    const bench = new Bench({ mayMultiplex: true })
    many(bench, 4)
    await turns()
    expect(bench.tries).toHaveLength(1)
    bench.tries[0]?.succeed("http/1.1")
    await turns()
    expect(bench.tries).toHaveLength(4)
  })
})

describe("closing the pool", () => {
  it("8.6 at once fails waiting exchanges as not sent and leaves nothing behind", async () => {
    const { bench, first } = await busy({ connections: 2 })
    const calls = many(bench, 3)
    await turns()
    expect(bench.pending).toHaveLength(1)
    bench.pool.destroy(() => Object.assign(new Error("closed"), { code: "UND_ERR_DESTROYED" }))
    expect(calls.map(({ cause }) => cause)).toEqual(
      calls.map(() => expect.objectContaining({ code: "UND_ERR_DESTROYED", syscall: "connect" }))
    )
    expect(bench.pending).toEqual([])
    expect(first.socket.destroyed).toBe(true)
    await turns()
    expect(bench.pool.isEmpty).toBe(true)
  })

  it("8.6 gracefully completes exchanges in flight and in the queue first", async () => {
    const { bench, first } = await busy({ connections: 1 })
    const calls = many(bench, 3)
    await turns()
    bench.pool.close()
    for (const call of calls) {
      expect([bench.emptied, call.result]).toEqual([0, undefined])
      first.finish()
      await turns()
    }
    first.finish()
    await turns()
    expect(calls.map(({ result }) => result)).toEqual(calls.map(() => "completed"))
    expect(first.socket.destroyed).toBe(true)
    expect(bench.emptied).toBe(1)
  })

  it("8.6 gracefully closes idle connections, and one that opens late", async () => {
    const { bench, first } = await busy()
    first.finish()
    await turns()
    const call = bench.call()
    const late = bench.call()
    await turns()
    bench.pool.close()
    expect(first.running).toEqual([call])
    const second = bench.pending[0]?.succeed()
    expect(second?.running).toEqual([late])
    first.finish()
    second?.finish()
    await turns()
    expect([first.socket.destroyed, second?.socket.destroyed]).toEqual([true, true])
    expect(bench.pool.isEmpty).toBe(true)
  })

  it("8.6 gracefully does not wait for a connection without a waiting exchange", async () => {
    const { bench, first } = await busy()
    const waiting = bench.call(Number.POSITIVE_INFINITY)
    await turns()
    first.finish()
    await turns()
    expect(first.running).toEqual([waiting])
    expect(bench.pending).toHaveLength(1)
    bench.pool.close()
    expect(bench.pending).toEqual([])
    first.finish()
    await turns()
    expect(bench.emptied).toBe(1)
  })

  it("8.6 gracefully does not wait for one whose exchange has been served meanwhile", async () => {
    const { bench, first } = await busy()
    bench.call(Number.POSITIVE_INFINITY)
    await turns()
    bench.pool.close()
    expect(bench.pending).toHaveLength(1)
    first.finish()
    await turns()
    expect(bench.pending).toEqual([])
    first.finish()
    await turns()
    expect(bench.emptied).toBe(1)
  })
})
