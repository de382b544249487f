/** The polls of a polling. Each is a call with its own retries, sent after a wait, until the work is done or its time is over. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type * as ApiResponse from "../client/ApiResponse.js"
import type * as Core from "../client/Core.js"
import * as Encoding from "../client/Encoding.js"
import * as Execution from "../client/Execution.js"
import * as Following from "../client/Following.js"
import type * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import { Steps } from "../effect/steps.js"
import * as Streams from "../effect/streams.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import type * as RequestEncoder from "../request/RequestEncoder.js"
import * as ResponseError from "../request/ResponseError.js"
import * as TransportError from "../request/TransportError.js"
import * as Decisions from "../retry/decisions.js"
import * as RetryAfter from "../retry/RetryAfter.js"
import * as Result from "../shared/result.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import * as PollingTimeoutError from "./PollingTimeoutError.js"
import type * as PollPlan from "./PollPlan.js"

/** A response may put the next poll off by an hour at the most: no program wants to sleep for a year. */
const mostHint = 3_600_000

type Failure<E> = ApiError.ApiError | PollingTimeoutError.PollingTimeoutError | E

/** Polls until the work is done. Returns the last value. */
export const poll = <A, P, E>(core: Core.Core, plan: PollPlan.Plan<A, P, E>): Effect.Effect<A, Failure<E>> =>
  polling(core, plan, (poller, first) => {
    const go = (step: Step<A, E>): Effect.Effect<A, Failure<E>> =>
      Effect.flatMap(poller.visit(step), ([{ value }, next]) =>
        Option.isNone(next) ? Effect.succeed(value) : go(next.value)
      )
    return go(first)
  })

/** Polls until the work is done. Emits what is shown of each poll, the last one included. */
export const watch = <A, P, E>(
  core: Core.Core,
  plan: PollPlan.Plan<A, P, E>
): Stream.Stream<A | P, Failure<E>> =>
  Stream.unwrap(
    polling(core, plan, (poller, first) =>
      Effect.succeed(
        Stream.mapEffect(
          Streams.paginate(first, (step: Step<A, E>) => poller.visit(step)),
          (polled) => poller.show(polled)
        )
      )
    )
  )

const polling = <A, P, E, B>(
  core: Core.Core,
  plan: PollPlan.Plan<A, P, E>,
  use: (poller: Poller<A, P, E>, first: Step<A, E>) => Effect.Effect<B, Failure<E>>
): Effect.Effect<B, Failure<E>> =>
  Effect.clockWith((clock) => {
    const checked = plan.problem === undefined ? core : { ...core, problem: plan.problem }
    const poller = new Poller(checked, plan, clock)
    return Effect.flatMap(poller.first, (step) => use(poller, step))
  })

/** The next poll: its request, and when it is sent, by the monotonic clock. */
interface Step<A, E> extends Following.Step<ApiRequest.ApiRequest<A, E>> {
  readonly at: number
  /** Why there is no other poll. */
  readonly ended?: Effect.Effect<never, Failure<E>> | undefined
}

/** A response, and the call that got it. */
interface Polled<A> {
  readonly call: Call.Call
  readonly guarded: GuardedResponse.GuardedResponse
  readonly response: ApiResponse.ApiResponse<A>
  /** The request of the call, before redirects. */
  readonly sent: RequestEncoder.EncodedRequest
  readonly value: A
}

class Poller<A, P, E> {
  readonly deadline: number
  private readonly core: Core.Core
  private readonly plan: PollPlan.Plan<A, P, E>
  private readonly clock: Clock.Clock
  private steps: Steps<ApiResponse.ApiResponse<A>> | undefined
  private polls = 0
  private waits = 0
  private call: Call.Call | undefined
  private last: GuardedResponse.GuardedResponse | undefined

  constructor(core: Core.Core, plan: PollPlan.Plan<A, P, E>, clock: Clock.Clock) {
    this.core = core
    this.plan = plan
    this.clock = clock
    this.deadline = Monotonic.deadline(clock, plan.timeout)
  }

  /** The first poll. It comes at once, unless another request starts the work. */
  get first(): Effect.Effect<Step<A, E>, Failure<E>> {
    const { plan } = this
    const { request, start } = plan
    if (start === undefined) return Effect.succeed({ request, at: Number.NEGATIVE_INFINITY })
    return this.within(
      Effect.flatMap(this.run({ request: start }), (started) => {
        const { response } = started
        const located = Result.flatMap(
          Following.trying("location", () => plan.location(response) ?? seenElsewhere(started)),
          (url): Result.Result<Following.Step<typeof request>, ResponseError.Unusable> =>
            typeof url === "string"
              ? Following.toUrl(request, previousOf(started), url, target)
              : Result.fail({ reason: "the response does not say where to poll" })
        )
        if (!located.ok) return unfollowed(started, located.error)
        return Effect.succeed(this.after(located.value, this.hint(started) ?? plan.delays.initialMillis))
      })
    )
  }

  /** Waits, polls, and decides what is next. */
  visit(step: Step<A, E>): Effect.Effect<readonly [Polled<A>, Option.Option<Step<A, E>>], Failure<E>> {
    if (step.ended !== undefined) return step.ended
    const polled = Effect.flatMap(this.run(step), (polled) => {
      this.polls++
      this.last = polled.guarded
      return Effect.flatMap(this.isDone(polled), (isDone) =>
        isDone
          ? Effect.succeed([polled, Option.none<Step<A, E>>()] as const)
          : Effect.map(this.next(step, polled), (next) => [polled, Option.some(next)] as const)
      )
    })
    const wait = Effect.suspend(() => {
      const millis = step.at - Monotonic.now(this.clock)
      return millis > 0 ? Effect.sleep(millis) : Effect.void
    })
    return Effect.zipRight(wait, this.within(polled))
  }

  /** What the caller sees of a poll. */
  show(polled: Polled<A>): Effect.Effect<A | P, Failure<E>> {
    const { progress } = this.plan
    const { response, value } = polled
    if (progress === undefined) return Effect.succeed(value)
    const shown = Following.trying("progress", () => progress(value, response))
    return shown.ok ? Effect.succeed(shown.value) : unfollowed(polled, shown.error)
  }

  private run<B>(step: Following.Step<ApiRequest.ApiRequest<B, E>>): Effect.Effect<Polled<B>, Failure<E>> {
    const { from, request } = step
    const use = (
      call: Call.Call,
      core: Core.Core,
      fiber: Fibers.AnyFiber
    ): Effect.Effect<Polled<B>, Failure<E>> => {
      this.call = call
      const refusal = from && Following.restrict(call, from)
      if (refusal !== undefined) return Effect.fail(TransportError.invalidRequest(call, "url", refusal))
      const { encoded: sent } = call
      return Execution.run(core, fiber, call, request, (call, guarded, value: B) => ({
        call,
        guarded,
        response: Execution.withResponse(call, guarded, value),
        sent,
        value
      }))
    }
    return Encoding.begin(this.core, request, use, from?.encoded.trusted)
  }

  private isDone(polled: Polled<A>): Effect.Effect<boolean, Failure<E>> {
    const asked = Following.trying("done", () => this.plan.done(polled.value, polled.response))
    if (!asked.ok) return unfollowed(polled, asked.error)
    const checked = (done: unknown): Effect.Effect<boolean, ApiError.ApiError> =>
      typeof done === "boolean" ? Effect.succeed(done) : unfollowed(polled, { reason: badDone })
    return Effect.isEffect(asked.value) ? Effect.flatMap(asked.value, checked) : checked(asked.value)
  }

  private next(step: Step<A, E>, polled: Polled<A>): Effect.Effect<Step<A, E>, Failure<E>> {
    const { response, sent, value } = polled
    const next = Result.flatMap(
      Following.trying("next", () => this.plan.next(value, response)),
      (next) => Following.onward(step, previousOf(polled), sent, next, target)
    )
    if (!next.ok) return unfollowed(polled, next.error)
    if (next.value === undefined && !sent.replayable)
      return unfollowed(polled, { reason: "the body cannot be sent again" })
    return Effect.map(this.wait(polled), (millis) =>
      millis === undefined
        ? { ...step, ended: this.expired(undefined) }
        : this.after(next.value ?? step, millis)
    )
  }

  /** How long to wait after a response: as long as it asks for, else by schedule or backoff. */
  private wait(polled: Polled<A>): Effect.Effect<number | undefined> {
    const { delays, schedule } = this.plan
    const hinted = this.hint(polled)
    if (schedule === undefined) {
      return hinted === undefined
        ? Effect.map(Random.next, (random) => Decisions.backoffMillis(delays, this.waits++, random))
        : Effect.succeed(hinted)
    }
    this.steps ??= new Steps(schedule)
    return Effect.map(this.steps.next(this.clock.unsafeCurrentTimeMillis(), polled.response), (millis) =>
      millis === undefined ? undefined : (hinted ?? millis)
    )
  }

  private hint({ call, response: { headers } }: Polled<unknown>): number | undefined {
    const now = this.clock.unsafeCurrentTimeMillis()
    const hinted =
      RetryAfter.own(call.retry.policy.retryAfter, headers, now) ??
      Option.getOrUndefined(RetryAfter.parse(headers, now))
    if (hinted === undefined) return undefined
    const least = Math.min(Decisions.minWaitMillis, this.plan.delays.initialMillis)
    return Math.min(Math.max(Duration.toMillis(hinted), least), mostHint)
  }

  private after(step: Following.Step<ApiRequest.ApiRequest<A, E>>, millis: number): Step<A, E> {
    const at = Monotonic.now(this.clock) + millis
    return at < this.deadline ? { ...step, at } : { ...step, at, ended: this.late }
  }

  private within<B>(work: Effect.Effect<B, Failure<E>>): Effect.Effect<B, Failure<E>> {
    return TimeLimits.withinDeadline(this, work, this.late)
  }

  private get late(): Effect.Effect<never, Failure<E>> {
    return this.expired(Duration.millis(this.plan.timeout))
  }

  private expired(limit: Duration.Duration | undefined): Effect.Effect<never, Failure<E>> {
    return Effect.suspend(() => {
      const { call, core, last, plan, polls } = this
      const { request } = plan
      const fail = (body: Uint8Array) =>
        Effect.fail(PollingTimeoutError.make({ body, call, config: core.config, limit, polls, request }))
      // A body that was returned open is its reader's.
      if (last === undefined || request.success.open !== undefined) return fail(new Uint8Array(0))
      return Effect.flatMap(last.salvage(core.config.limits.errorBytes), ({ bytes }) => fail(bytes))
    })
  }
}

/** A 303 leads to where the work is seen (RFC 9110, 15.4.4), and has been followed. */
const seenElsewhere = ({ call, guarded }: Polled<unknown>): string | undefined =>
  call.redirected?.processed === true ? guarded.url : undefined

const target = "the next poll"
const badDone = "done must return true, false or an Effect of them"

const unfollowed = (
  { call, guarded }: Pick<Polled<unknown>, "call" | "guarded">,
  problem: ResponseError.Unusable
): Effect.Effect<never, ApiError.ApiError> => Effect.fail(ResponseError.unfollowed(call, guarded, problem))

const previousOf = ({ call, guarded: { askedUrl, url } }: Polled<unknown>): Following.Previous => ({
  call,
  encoded: call.encoded,
  askedUrl,
  url
})
