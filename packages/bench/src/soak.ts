/**
 * `npm run soak`: a hundred thousand calls, two hundred at a time, of which one request in five goes wrong. It ends with 1
 * where a claim does not hold. `--requests=N` and `--in-flight=N` change the numbers; node needs `--expose-gc`.
 */
import { type ChildProcess, fork } from "node:child_process"
import { ApiClient, ApiError, ApiRequest, EventStream } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { Effect, Layer, Logger, Schema, Stream } from "effect"
import { type Counts, type Kind, kinds, type Word } from "./soakServer.js"

const numberOf = (name: string, otherwise: number): number => {
  const given = process.argv.find((argument) => argument.startsWith(`--${name}=`))
  const value = given === undefined ? otherwise : Number(given.slice(name.length + 3))
  if (!(Number.isInteger(value) && value > 0)) throw new Error(`--${name} must be a whole number above zero`)
  return value
}

const calls = numberOf("requests", 100_000)
const inFlight = numberOf("in-flight", 200)
const megabyte = 1024 * 1024

/** How many readings of the heap a quarter has. */
const readings = 8
/** By how much the median of the last quarter may stand above that of the second: what the compiler and noise take. */
const slack = 2 * megabyte

const Item = Schema.Struct({ id: Schema.Number, title: Schema.String, tags: Schema.Array(Schema.String) })
const get = ApiRequest.get("/items/1", { success: Item })
const post = ApiRequest.post("/items", { body: { title: "Buy milk" }, success: Item })
const events = ApiRequest.get("/events", {
  events: EventStream.make({ event: Schema.Struct({ n: Schema.Number }), terminal: "[DONE]" })
})

/** Half of the calls create, four of ten read, one of ten is a stream of events. */
const kindOf = (call: number): Kind => (call % 10 === 0 ? "events" : call % 10 < 6 ? "post" : "get")

interface Tally {
  readonly ended: Record<Kind, number>
  readonly succeeded: Record<Kind, number>
  /** Attempts by the ledgers; a stream that succeeds has none to show. */
  readonly attempts: Record<Kind, number>
  readonly errors: Map<string, number>
  readonly foreign: Array<unknown>
}

const perKind = (): Record<Kind, number> => ({ get: 0, post: 0, events: 0 })

const tallyOf = (): Tally => ({
  ended: perKind(),
  succeeded: perKind(),
  attempts: perKind(),
  errors: new Map(),
  foreign: []
})

/** One call to its end; nothing that it may end with is lost. */
const run = (client: ApiClient.ApiClient, kind: Kind, tally: Tally): Effect.Effect<void> => {
  const attempts =
    kind === "events"
      ? Effect.as(Stream.runDrain(client.stream(events)), 0)
      : Effect.map(
          client.executeWithResponse(kind === "get" ? get : post),
          (response) => response.attempts.length
        )
  return Effect.matchCause(attempts, {
    onSuccess: (attempts) => {
      tally.ended[kind]++
      tally.succeeded[kind]++
      tally.attempts[kind] += attempts
    },
    onFailure: (cause) => {
      tally.ended[kind]++
      const error = cause._tag === "Fail" ? cause.error : undefined
      if (!ApiError.isApiError(error)) return void tally.foreign.push(error ?? cause)
      const name = `${error._tag}, stopped by ${error.stoppedBy}`
      tally.errors.set(name, (tally.errors.get(name) ?? 0) + 1)
      tally.attempts[kind] += error.attempts.length
    }
  })
}

const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** The bytes that are in use once the collector has run. */
const used: Effect.Effect<number> = Effect.gen(function* () {
  globalThis.gc?.()
  // What finalizers let go of is collected the second time.
  yield* turn
  globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
})

/** Every call, with readings of the heap spread evenly over them: the calls under way wait for none. */
const soak = (url: string, tally: Tally) =>
  Effect.gen(function* () {
    const client = yield* ApiClient.make({
      baseUrl: url,
      retry: { initialDelay: "2 millis", maxDelay: "20 millis" }
    })
    const heap: Array<number> = []
    const step = Math.max(1, Math.floor(calls / (4 * readings)))
    const reading = Effect.map(used, (bytes) => void heap.push(bytes))
    let [call, read] = [0, 0]
    // A fiber for each place, not for each call: `forEach` holds on to all that it has forked.
    const place = Effect.whileLoop({
      while: () => call < calls,
      body: () => {
        const calling = run(client, kindOf(call++), tally)
        return call % step === 0 && read++ < 4 * readings ? Effect.zipRight(calling, reading) : calling
      },
      step: () => undefined
    })
    const places = Array.from({ length: inFlight }, () => place)
    yield* Effect.all(places, { concurrency: "unbounded", discard: true })
    return heap
  })

const timers = new Set(["Timeout", "Immediate"])

/** What keeps the process alive but for its child and its output. */
const held = () => {
  const resources = process.getActiveResourcesInfo()
  return {
    sockets: resources.filter((name) => name.startsWith("TCP")).length,
    timers: resources.filter((name) => timers.has(name)).length
  }
}

/** The same, once the sockets that were told to close have closed. */
const heldAtLast = Effect.gen(function* () {
  let now = held()
  for (let turns = 0; turns < 1000 && now.sockets + now.timers > 0; turns++) {
    yield* turn
    now = held()
  }
  return now
})

/** The next word of the server. */
const word = <K extends string>(child: ChildProcess, key: K) =>
  Effect.async<Extract<Word, { readonly [k in K]: unknown }>, Error>((resume) => {
    const failed = (code: number | null): void =>
      resume(Effect.fail(new Error(`the server ended with ${code}`)))
    child.once("exit", failed)
    child.once("message", (word: Word) => {
      child.off("exit", failed)
      if (key in word) resume(Effect.succeed(word as Extract<Word, { readonly [k in K]: unknown }>))
      else resume(Effect.fail(new Error(`the server does not speak of ${key}`)))
    })
  })

/** What the server has counted, once it has heard of the last close: it is another process, and may be some turns behind. */
const countsAtLast = (child: ChildProcess) =>
  Effect.gen(function* () {
    for (let asked = 0; ; asked++) {
      child.send("counts")
      const said = yield* word(child, "counts")
      if (said.connections === 0 || asked === 1000) return said
    }
  })

const server = Effect.acquireRelease(
  Effect.sync(() => fork(new URL("./soakServer.js", import.meta.url))),
  (child) => Effect.sync(() => child.kill())
)

const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0)

const inMegabytes = (bytes: number): string => `${(bytes / megabyte).toFixed(2)} MiB`

interface Claim {
  readonly claim: string
  readonly holds: boolean
  readonly seen: string
}

/** What must be true when all is over. */
const claimsOf = (
  tally: Tally,
  heap: ReadonlyArray<number>,
  left: ReturnType<typeof held>,
  said: Extract<Word, { readonly counts: unknown }>,
  troubles: ReadonlyArray<unknown>
): ReadonlyArray<Claim> => {
  const { counts } = said
  const ended = sum(Object.values(tally.ended))
  const failed = sum(tally.errors.values())
  const succeeded = sum(Object.values(tally.succeeded))
  const total = (of: (counts: Counts) => number): number => sum(kinds.map((kind) => of(counts[kind])))
  const requests = total((counts) => counts.requests)
  const faults = total(({ busy, cut, limited, reset }) => busy + cut + limited + reset)
  const overBudget = sum(
    [...tally.errors].filter(([name]) => name.endsWith("budget")).map(([, count]) => count)
  )
  const second = median(heap.slice(readings, 2 * readings))
  const last = median(heap.slice(3 * readings, 4 * readings))
  const replays = counts.get.requests - tally.attempts.get
  return [
    {
      claim: "every call ended once, in a success or in a tagged error",
      holds: ended === calls && succeeded + failed === calls && tally.foreign.length === 0,
      seen: `${succeeded} + ${failed} of ${calls}, ${tally.foreign.length} of another kind`
    },
    {
      claim: "no call was given up for want of budget",
      holds: overBudget === 0,
      seen: `${overBudget}`
    },
    {
      claim: "one request in five went wrong",
      holds: Math.abs(faults / requests - 0.2) < 0.001,
      seen: `${faults} of ${requests}`
    },
    {
      claim: "every answer in full reached its call",
      holds: kinds.every((kind) => counts[kind].served === tally.succeeded[kind]),
      seen: kinds.map((kind) => `${kind} ${counts[kind].served} and ${tally.succeeded[kind]}`).join(", ")
    },
    {
      claim: "each POST that arrived stands in a ledger, and each in a ledger arrived",
      holds: counts.post.requests === tally.attempts.post,
      seen: `${counts.post.requests} and ${tally.attempts.post}`
    },
    {
      claim: "a GET arrived more often only where a reset let it be replayed",
      holds: replays >= 0 && replays <= counts.get.reset,
      seen: `${replays} replays, ${counts.get.reset} resets`
    },
    {
      claim: "no unhandled rejection and no warning",
      holds: troubles.length === 0,
      seen: troubles.length === 0 ? "none" : String(troubles[0])
    },
    {
      claim: "no socket and no timer is left, on either side",
      holds: left.sockets === 0 && left.timers === 0 && said.connections === 0,
      seen: `${left.sockets} sockets, ${left.timers} timers; the server's ${said.connections} of ${said.seen} connections`
    },
    {
      claim: "the heap is flat from the second quarter to the last",
      holds: globalThis.gc !== undefined && last - second <= slack,
      seen:
        globalThis.gc === undefined
          ? "not measured: node needs --expose-gc"
          : `${inMegabytes(second)} and ${inMegabytes(last)}`
    }
  ]
}

const main = Effect.gen(function* () {
  const troubles: Array<unknown> = []
  const note = (trouble: unknown): void => void troubles.push(trouble)
  for (const event of ["unhandledRejection", "uncaughtException", "warning"]) process.on(event, note)

  const child = yield* server
  const { port } = yield* word(child, "port")
  const tally = tallyOf()
  const startedAt = performance.now()
  const layer = Layer.merge(NodeTransport.layer, Logger.remove(Logger.defaultLogger))
  const heap = yield* Effect.scoped(Effect.provide(soak(`http://127.0.0.1:${port}`, tally), layer))
  const seconds = (performance.now() - startedAt) / 1000
  const left = yield* heldAtLast
  const said = yield* countsAtLast(child)

  console.log(
    `${calls} calls, ${inFlight} at a time: ${seconds.toFixed(1)} s, ${Math.round(calls / seconds)} a second\n`
  )
  for (const [name, count] of [...tally.errors].sort()) console.log(`${String(count).padStart(7)} ${name}`)
  console.log(`\nheap: ${heap.map((bytes) => (bytes / megabyte).toFixed(1)).join(" ")} MiB\n`)
  const claims = claimsOf(tally, heap, left, said, troubles)
  for (const { claim, holds, seen } of claims) console.log(`${holds ? "ok    " : "FAILED"} ${claim}: ${seen}`)
  for (const trouble of [...troubles, ...tally.foreign].slice(0, 5)) console.error(trouble)
  return claims.every(({ holds }) => holds)
})

process.exitCode = (await Effect.runPromise(Effect.scoped(main))) ? 0 : 1
