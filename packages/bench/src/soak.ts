/**
 * `npm run soak`: 100,000 calls, 200 at a time, over HTTP/1.1 and over HTTP/2. One request in five gets a fault. The exit code is
 * 1 if a claim does not hold. `--requests=N` and `--in-flight=N` change the numbers, and `--over=http1` or `--over=http2` selects
 * one protocol. `--effect4` runs the soak of the edition for Effect 4. Node needs `--expose-gc`.
 */
import type { HttpClient } from "@effect/platform"
import { ApiClient } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { Effect, Layer, Logger } from "effect"
import * as Edition from "./edition.js"
import * as Calls from "./soak/calls.js"
import { claimsOf, inMegabytes, readings } from "./soak/claims.js"
import { heldAtEnd, used } from "./soak/held.js"
import * as Server from "./soak/server.js"

const flag = (name: string): string | undefined =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3)

const numberOf = (name: string, fallback: number): number => {
  const value = Number(flag(name) ?? fallback)
  if (!(Number.isInteger(value) && value > 0)) throw new Error(`--${name} must be a positive integer`)
  return value
}

const calls = numberOf("requests", 100_000)
const inFlight = numberOf("in-flight", 200)

interface Wire {
  readonly name: string
  readonly server: string
  readonly scheme: "http" | "https"
  readonly transport: Layer.Layer<HttpClient.HttpClient>
}

const wires: Readonly<Record<string, Wire>> = {
  http1: {
    name: "HTTP/1.1",
    server: "./http1.js",
    scheme: "http",
    transport: Layer.orDie(NodeTransport.layer)
  },
  http2: {
    name: "HTTP/2",
    server: "./http2.js",
    scheme: "https",
    // The server's certificate is self-signed.
    transport: Layer.orDie(NodeTransport.layerWith({ allowH2: true, tls: { verify: false } }))
  }
}

/** Runs all calls, with heap readings spread evenly over them. The calls in flight do not wait for a reading. */
const soak = (url: string, tally: Calls.Tally) =>
  Effect.gen(function* () {
    const client = yield* ApiClient.make({
      baseUrl: url,
      retry: { initialDelay: "2 millis", maxDelay: "20 millis" }
    })
    const heap: Array<number> = []
    const step = Math.max(1, Math.floor(calls / (4 * readings)))
    const reading = Effect.map(used, (bytes) => void heap.push(bytes))
    let [call, read] = [0, 0]
    // One fiber per call in flight. `forEach` over all calls would keep every forked fiber.
    const worker = Effect.whileLoop({
      while: () => call < calls,
      body: () => {
        const calling = Calls.run(client, Calls.kindOf(call++), tally)
        return call % step === 0 && read++ < 4 * readings ? Effect.zipRight(calling, reading) : calling
      },
      step: () => undefined
    })
    const workers = Array.from({ length: inFlight }, () => worker)
    yield* Effect.all(workers, { concurrency: "unbounded", discard: true })
    return heap
  })

const silent = Logger.remove(Logger.defaultLogger)

/** Runs the soak over one protocol. Returns whether all claims hold. */
const soakOver = ({ name, scheme, server, transport }: Wire, troubles: Array<unknown>) =>
  Effect.gen(function* () {
    const { finalReport, port } = yield* Server.start(server)
    if (port === undefined) {
      console.log(`${name}: openssl is not installed: left out`)
      return true
    }
    const tally = Calls.tallyOf()
    const startedAt = performance.now()
    const layer = Layer.merge(transport, silent)
    const heap = yield* Effect.scoped(Effect.provide(soak(`${scheme}://127.0.0.1:${port}`, tally), layer))
    const seconds = (performance.now() - startedAt) / 1000
    const left = yield* heldAtEnd
    const report = yield* finalReport
    const rate = Math.round(calls / seconds)
    console.log(`${name}: ${calls} calls, ${inFlight} at a time: ${seconds.toFixed(1)} s, ${rate} calls/s\n`)
    for (const [error, count] of [...tally.errors].sort())
      console.log(`${String(count).padStart(7)} ${error}`)
    console.log(`\nheap: ${heap.map(inMegabytes).join(", ")}\n`)
    const claims = claimsOf(calls, tally, heap, left, report, troubles)
    for (const { claim, holds, seen } of claims)
      console.log(`${holds ? "ok    " : "FAILED"} ${claim}: ${seen}`)
    for (const trouble of [...troubles, ...tally.foreign].slice(0, 5)) console.error(trouble)
    console.log("")
    return claims.every(({ holds }) => holds)
  }).pipe(Effect.scoped)

const main = Effect.gen(function* () {
  const troubles: Array<unknown> = []
  const note = (trouble: unknown): void => void troubles.push(trouble)
  for (const event of ["unhandledRejection", "uncaughtException", "warning"]) process.on(event, note)
  const only = flag("over")
  let holds = true
  for (const [name, wire] of Object.entries(wires)) {
    if (only === undefined || only === name) holds = (yield* soakOver(wire, troubles)) && holds
  }
  return holds
})

process.exitCode = process.argv.includes("--effect4")
  ? await Edition.run("soak.js", "--effect4")
  : (await Effect.runPromise(main))
    ? 0
    : 1
