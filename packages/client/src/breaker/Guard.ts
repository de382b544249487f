/** Circuits before the permits of attempts: the seam between a client's attempts and the state of its circuits. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { accountOf, type Permits } from "../client/Permits.js"
import * as Fibers from "../effect/fibers.js"
import * as Heads from "../effect/metricHeads.js"
import * as Monotonic from "../effect/monotonic.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import * as UnsentError from "../request/UnsentError.js"
import type * as Attempts from "../retry/Attempts.js"
import * as Measuring from "../telemetry/circuitMeasuring.js"
import type { Circuit, Probe } from "./Circuit.js"
import type { Circuits } from "./Circuits.js"
import * as Failures from "./failures.js"

/** A response whose headers have arrived. */
type Arrived = Parameters<Permits["arrived"]>[1]

/** Timers may fire a millisecond early. */
const leewayMillis = 2

export class Guard implements Permits {
  readonly settle: Permits["settle"]
  private readonly circuits: Circuits
  private readonly permits: Permits | undefined
  private readonly isFailure: Failures.IsFailure | undefined
  private readonly probes = new WeakMap<Call.Call, Probe>()
  /** The calls inside an attempt: its place is theirs. */
  private readonly nested = new WeakSet<Call.Call>()
  /** Those of the fiber that began an attempt last: the state of a circuit belongs to no fiber. */
  private clock: Clock.Clock = Monotonic.systemClock
  private labels: Heads.Labels | undefined

  constructor(circuits: Circuits, permits: Permits | undefined, isFailure: Failures.IsFailure | undefined) {
    this.circuits = circuits
    this.permits = permits
    this.isFailure = isFailure
    this.settle = permits?.settle
  }

  keyOf(call: Call.Call): string {
    return this.permits?.keyOf(call) ?? ""
  }

  /** A call that the circuit would refuse does not wait for a permit first. */
  take(call: Call.Call, clock: Clock.Clock): Attempts.Waiting | undefined {
    const { permits } = this
    const circuit = this.find(call)
    if (circuit === undefined) return permits?.take(call, clock)
    this.nested.delete(call)
    if (circuit.delay(Monotonic.now(clock)) === 0) return permits?.take(call, clock)
    const refused = Effect.zipRight(
      jittered(circuit),
      Fibers.withFiber((fiber) => Effect.fail(this.refusal(call, circuit, fiber)))
    )
    return {
      queued: refused,
      // The attempt around this call may be the probe, and it waits for the call.
      forced: circuit.isHalfOpen
        ? Effect.suspend(() => {
            this.nested.add(call)
            return permits?.take(call, clock)?.forced ?? Effect.void
          })
        : refused
    }
  }

  leave(call: Call.Call): void {
    this.permits?.leave(call)
  }

  enter(call: Call.Call, fiber: Fibers.AnyFiber): Attempts.Refusal | undefined {
    this.clock = Fibers.clockOf(fiber)
    this.labels = Heads.labelsOf(fiber)
    const circuit = this.find(call)
    if (circuit === undefined || (circuit.isHalfOpen && this.nested.has(call))) return undefined
    const now = Monotonic.now(this.clock)
    if (circuit.delay(now) > 0) {
      const refusal = this.refusal(call, circuit, fiber)
      this.permits?.ended(call, refusal.error, false, false)
      return refusal
    }
    const probe = circuit.enter(now)
    if (probe !== undefined) this.probes.set(call, probe)
    return undefined
  }

  /** The head of a response decides for a probe: a stream may then go on for an hour. */
  arrived(call: Call.Call, response: Arrived, fiber: Fibers.AnyFiber): void {
    this.permits?.arrived(call, response, fiber)
    if (this.circuits.isQuiet || response.status >= 400) return
    const probe = this.probes.get(call)
    const now = Monotonic.now(Fibers.clockOf(fiber))
    if (probe !== undefined) probe.circuit.probeSucceeded(probe, now)
    // After a redirect the attempt ends at another origin.
    else if (response.status >= 300) this.well(call, now)
  }

  ended(call: Call.Call, error: ApiError.ApiError | undefined, isHeld: boolean, isSuccess: boolean): void {
    this.permits?.ended(call, error, isHeld, isSuccess)
    if (isSuccess && this.circuits.isQuiet) return
    const probe = this.probeOf(call)
    const now = Monotonic.now(this.clock)
    const found = isSuccess ? undefined : (error ?? expired(call, now))
    const verdict = found && Failures.verdictOf(found, this.isFailure, now - call.begunAt)
    if (found !== undefined && verdict === "failed") this.failed(call, probe, found, now)
    else if (isSuccess || verdict === "well") {
      if (probe === undefined) this.well(call, now)
      else probe.circuit.probeSucceeded(probe, now)
    } else probe?.circuit.leave(probe)
  }

  /** The probe that an attempt still is once it has ended: the head of its response may have decided. */
  private probeOf(call: Call.Call): Probe | undefined {
    const probe = this.probes.get(call)
    if (probe === undefined) return undefined
    this.probes.delete(call)
    return probe.isOver ? undefined : probe
  }

  private find(call: Call.Call): Circuit | undefined {
    return this.circuits.isQuiet ? undefined : this.circuits.find(this.idOf(call))
  }

  private idOf(call: Call.Call): string {
    return accountOf(call, this.permits)
  }

  private failed(call: Call.Call, probe: Probe | undefined, error: ApiError.ApiError, now: number): void {
    const failure = {
      error: Failures.summaryOf(error, call.encoded.origin),
      hint: Failures.hintOf(error),
      wall: this.clock.unsafeCurrentTimeMillis()
    }
    if (probe !== undefined) return probe.circuit.probeFailed(probe, failure, now)
    const circuit = this.circuits.get(this.idOf(call))
    if (!circuit.fail(failure, call.begunAt, now) || this.labels === undefined) return
    circuit.onClosed = Measuring.opened(call, this.labels)
  }

  private well(call: Call.Call, now: number): void {
    const circuit = this.find(call)
    if (circuit === undefined) return
    circuit.succeed(call.begunAt, now)
    if (circuit.isIdle(now)) this.circuits.forget(this.idOf(call))
  }

  private refusal(call: Call.Call, circuit: Circuit, fiber: Fibers.AnyFiber): Attempts.Unpermitted {
    Measuring.refused(call, Heads.labelsOf(fiber))
    const delay = circuit.delay(Monotonic.now(Fibers.clockOf(fiber)))
    return { error: UnsentError.circuitOpen(call, circuit.since, delay, circuit.lastFailure) }
  }
}

/** The limit that has ended an attempt by an interruption, if it was one. */
const expired = (call: Call.Call, now: number): ApiError.TimeoutError | undefined =>
  now >= call.deadline - leewayMillis ? TransportError.timeout(call, "total", call.timeouts.total) : undefined

/** Processes that lost the same server together do not come back together. */
const jittered = (circuit: Circuit): Effect.Effect<void> =>
  circuit.isUnjittered ? Effect.map(Random.next, (random) => circuit.shorten(random)) : Effect.void
