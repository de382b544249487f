/** No socket stays open, whatever a call was waiting for and however it ended. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { ApiClient, type ApiConfig, PromiseClient } from "@effect-api/client"
import { Effect, Exit, Fiber, Layer, Scope } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { transport } from "../fixtures/clients.js"
import { type HangingCall, type Phase, phases } from "../fixtures/phases.js"
import { activeSockets, blackHole, until } from "../fixtures/sockets.js"

const closing: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A call that has reached its phase. */
interface Scenario {
  readonly call: HangingCall
  readonly limits: Phase["limits"]
  /** Another call that stays in flight. */
  readonly isSecond: boolean
}

const settings = ({ call, limits }: Scenario, timed: boolean): ApiConfig.Options => ({
  baseUrl: call.baseUrl,
  retry: { maxRetries: 0 },
  timeouts: timed ? limits : {}
})

/** An Effect client whose transport closes with a scope. */
const effectClient = async (scenario: Scenario, timed = false) => {
  const scope = Effect.runSync(Scope.make())
  const client = await Effect.runPromise(
    Scope.extend(
      Effect.flatMap(Layer.build(transport(scenario.call.options)), (context) =>
        Effect.provide(ApiClient.make(settings(scenario, timed)), context)
      ),
      scope
    )
  )
  return { client, close: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

const promiseClient = (scenario: Scenario) =>
  PromiseClient.make({ ...settings(scenario, false), transport: transport(scenario.call.options) })

const rejected = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => Promise.reject(new Error(`it succeeded: ${JSON.stringify(value)}`)),
    (error: unknown) => error
  )

const inPhase = async ({ call, isSecond }: Scenario, begin: () => void): Promise<void> => {
  begin()
  await call.reached()
  // The second call waits while the first is in flight.
  if (isSecond) for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

interface Ending {
  readonly ending: string
  /** Ends the call and returns what closes the rest. */
  readonly end: (scenario: Scenario) => Promise<() => Promise<unknown>>
  /** It has closed the transport. */
  readonly isClose?: boolean
}

const limited =
  (runIn: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>): Ending["end"] =>
  async (scenario) => {
    const { client, close } = await effectClient(scenario, true)
    if (scenario.isSecond) {
      const patient = client.withOptions({ timeouts: { connect: "20 seconds" } })
      Effect.runFork(patient.execute(scenario.call.request))
      await scenario.call.reached()
    }
    const error = await Effect.runPromise(runIn(Effect.flip(client.execute(scenario.call.request))))
    expect(error).toMatchObject({ _tag: "TimeoutError", phase: Object.keys(scenario.limits)[0] })
    return close
  }

const endings: ReadonlyArray<Ending> = [
  {
    ending: "an interruption",
    end: async (scenario) => {
      const { client, close } = await effectClient(scenario)
      const run = () => Effect.runFork(client.execute(scenario.call.request))
      if (scenario.isSecond) {
        run()
        await scenario.call.reached()
      }
      let fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined
      await inPhase(scenario, () => {
        fiber = run()
      })
      if (fiber !== undefined)
        expect(Exit.isInterrupted(await Effect.runPromise(Fiber.interrupt(fiber)))).toBe(true)
      return close
    }
  },
  {
    ending: "closing the transport's scope",
    isClose: true,
    end: async (scenario) => {
      const { client, close } = await effectClient(scenario)
      const run = () => Effect.runPromise(Effect.flip(client.execute(scenario.call.request)))
      const calls: Array<Promise<unknown>> = []
      if (scenario.isSecond) {
        calls.push(run())
        await scenario.call.reached()
      }
      await inPhase(scenario, () => calls.push(run()))
      await close()
      await Promise.all(calls)
      return async () => undefined
    }
  },
  {
    ending: "an AbortSignal",
    end: async (scenario) => {
      const client = promiseClient(scenario)
      if (scenario.isSecond) {
        client.execute(scenario.call.request).catch(() => undefined)
        await scenario.call.reached()
      }
      const abort = new AbortController()
      let call: Promise<unknown> = Promise.resolve()
      await inPhase(scenario, () => {
        call = rejected(client.execute(scenario.call.request, { signal: abort.signal }))
      })
      abort.abort()
      expect(await call).toMatchObject({ name: "AbortError" })
      return () => client.close()
    }
  },
  {
    ending: "close()",
    isClose: true,
    end: async (scenario) => {
      const client = promiseClient(scenario)
      const calls: Array<Promise<unknown>> = []
      const run = () => calls.push(rejected(client.execute(scenario.call.request)))
      if (scenario.isSecond) {
        run()
        await scenario.call.reached()
      }
      await inPhase(scenario, run)
      await client.close()
      await Promise.all(calls)
      return async () => undefined
    }
  },
  { ending: "a timeout", end: limited((effect) => effect) },
  { ending: "a timeout in an uninterruptible region", end: limited(Effect.uninterruptible) }
]

describe.each(phases)(
  "a call activeSockets at $phase",
  ({ begin, isSecond = false, isStream = false, limits }) => {
    it.each(endings)("8.6 $ending leaves no socket open", async ({ end, isClose = false }) => {
      const call = await begin()
      closing.push(call.close)
      const before = activeSockets()
      const close = await end({ call, limits, isSecond })
      // A connection that others may use outlives the call, but while idle it does not keep the process alive.
      const left = isClose ? 0 : isSecond || isStream ? 1 : 0
      const ends = isStream ? left : 2 * left
      await until(() => call.open() === left && activeSockets() === before + ends)
      await close()
      await until(() => call.open() === 0 && activeSockets() === before)
    })
  }
)

describe("a program", () => {
  it.each(["dns", "connect"])(
    "8.6 exits after its last call, which hangs at %s",
    async (phase) => {
      const hole = await blackHole("127.0.0.1")
      closing.push(hole.close)
      const program = fileURLToPath(new URL("../fixtures/program.ts", import.meta.url))
      const tsconfig = fileURLToPath(new URL("../fixtures/sources.json", import.meta.url))
      const child = spawn(process.execPath, ["--import", "tsx", program, phase, String(hole.port)], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, TSX_TSCONFIG_PATH: tsconfig, NODE_OPTIONS: "" }
      })
      closing.push(() => child.kill("SIGKILL"))
      let output = ""
      child.stdout.on("data", (bytes: Buffer) => {
        output += bytes.toString()
      })
      const [code] = await once(child, "exit")
      expect([code, output]).toEqual([0, "AbortError\n"])
    },
    60_000
  )
})
