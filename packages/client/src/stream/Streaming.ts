/**
 * The life of a request for a stream. Attempts are retried until the first events arrive. The rest is read without a
 * retry, under the stream's own limits, up to its terminal event. Leaving early closes the connection.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import * as Attempt from "../client/Attempt.js"
import type * as Core from "../client/Core.js"
import * as Encoding from "../client/Encoding.js"
import * as OwnFailure from "../client/OwnFailure.js"
import * as StatusCheck from "../client/StatusCheck.js"
import * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import * as Streams from "../effect/streams.js"
import * as Sync from "../effect/sync.js"
import * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import * as Call from "../request/Call.js"
import * as StreamContract from "../request/StreamContract.js"
import type * as UnsentError from "../request/UnsentError.js"
import * as Attempts from "../retry/Attempts.js"
import * as Measuring from "../telemetry/measuring.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import * as OpenBodies from "../transport/Opened.js"
import * as EventReader from "./EventReader.js"
import * as Resumption from "./Resumption.js"

/** Runs a request to the stream of its events. Each run of the stream sends the request anew. */
export const stream = <A, E>(
  core: Core.Core,
  request: ApiRequest.StreamRequest<A, E>
): Stream.Stream<A, ApiError.ApiError | E> => openable((scope) => open(core, request, scope, nextOf))

/** A stream of what each of its runs opens. */
export const openable = <A, E>(
  opening: (scope: Scope.Scope) => Effect.Effect<Pull<A, E>, E>
): Stream.Stream<A, E> => Object.assign(Streams.fromNext(opening), { [Opening]: opening })

/** The key under which a stream carries its opening. */
const Opening: unique symbol = Symbol.for("@effect-api/client/Streaming/Opening")

interface Openable<A, E> {
  readonly [Opening]: (scope: Scope.Scope) => Effect.Effect<Pull<A, E>, E>
}

const isOpenable = <A, E>(stream: Stream.Stream<A, E, unknown>): stream is typeof stream & Openable<A, E> =>
  Opening in stream

/**
 * Opens a stream to pull events until the scope closes. For a result of `stream` that nothing wraps, this avoids the
 * cost of a stream: half the memory of an open one.
 */
export const toPull = <A, E, R>(
  stream: Stream.Stream<A, E, R>,
  scope: Scope.Scope
): Effect.Effect<Pull<A, E, R>, E, R> => {
  if (isOpenable(stream)) return stream[Opening](scope)
  return Streams.toNext(stream, scope)
}

/** Waits for the next events; `undefined` at the end. */
export type Pull<A, E, R = never> = Streams.Next<A, E, R>

/** What a stream reads from: the response of its connection, once there is one, and the call that sent the request. */
export interface Source {
  readonly call: Call.Call
  readonly response: GuardedResponse.GuardedResponse | undefined
}

/** Opens a request to pull its events until the scope closes. Nothing is sent before the first pull. */
export const open = <A, E, B>(
  core: Core.Core,
  request: ApiRequest.StreamRequest<A, E>,
  scope: Scope.Scope,
  project: (next: Pull<A, ApiError.ApiError | E>, source: Source) => B
): Effect.Effect<B, UnsentError.Unsent> => {
  const problem = StreamContract.problem(request.events)
  return Encoding.begin(problem === undefined ? core : { ...core, problem }, request, (begun, core) => {
    const { idleTimeout: idle = begun.timeouts.idle } = request.events.limits
    const call = { ...begun, timeouts: { ...begun.timeouts, idle } }
    return Effect.map(Telemetry.openSpan(call, scope), ({ propagated, span }) => {
      const reader = new ResumingReader(core, call, request, scope, propagated)
      const { next } = reader
      return project(span === undefined ? next : Effect.withParentSpan(next, span), reader)
    })
  })
}

const nextOf = <A, E>(next: Pull<A, E>): Pull<A, E> => next

interface Opened<A> {
  readonly connection: EventReader.EventReader<A>
  readonly scope: Scope.CloseableScope
}

interface Connected<A> extends Opened<A> {
  readonly first: Next<A>
  readonly status: number
}

/**
 * Runs attempts until one has its first batch. A failure after that cannot be retried here. Nor can one after an
 * event with an id, on this connection or before: the reader decides whether the stream resumes there.
 */
const connect = <A>(
  core: Core.Core,
  call: Call.Call,
  request: ApiRequest.StreamRequest<A, unknown>,
  parent: Scope.Scope,
  span: Tracer.Span | undefined,
  before: EventReader.Progress
): Effect.Effect<Connected<A>, ApiError.ApiError> => {
  const isResumed = before.lastEventId !== undefined
  const connecting = (scope: Scope.CloseableScope): Effect.Effect<Connected<A>, ApiError.ApiError> =>
    Attempt.respond(core, OpenBodies.of(core.transport).streaming(scope), call, span).pipe(
      Effect.flatMap((response) =>
        Sync.flatMap(StatusCheck.check(call, response), (response) =>
          EventReader.open(call, request.events, response, scope, before)
        )
      ),
      Effect.flatMap((connection) =>
        Effect.matchEffect(connection.next, {
          onFailure: (error) =>
            Resumption.isPassing(call, error) && (isResumed || Resumption.goesOn(call, request, connection))
              ? Effect.succeed(connected(connection, Effect.fail(error), scope))
              : Effect.fail(error),
          onSuccess: (batch) => Effect.succeed(connected(connection, Effect.succeed(batch), scope))
        })
      )
    )
  return Attempts.run(call, core.attempts, {
    isPunctual: false,
    isOpen: true,
    // The loop's region is uninterruptible: nothing comes between the fork and the handler that closes the scope.
    run: (restore, settle) => {
      const opened = Effect.flatMap(forked(parent, call), (scope) =>
        Effect.matchCauseEffect(Attempts.marked(connecting(scope), restore), {
          onFailure: (cause) =>
            Effect.zipRight(Scope.close(scope, Exit.failCause(cause)), Effect.failCause(cause)),
          onSuccess: (connected) => Effect.succeed(connected)
        })
      )
      return Attempts.settled(opened, settle)
    }
  })
}

/** The scope of a connection. A stream counts as in flight until it closes. */
const forked = (parent: Scope.Scope, { permit }: Call.Call): Effect.Effect<Scope.CloseableScope> => {
  const scope = Fibers.forkScope(parent)
  if (permit === undefined) return scope
  return Effect.tap(scope, (scope) =>
    Scope.addFinalizer(
      scope,
      Effect.sync(() => permit.leave())
    )
  )
}

const connected = <A>(
  connection: EventReader.EventReader<A>,
  first: Next<A>,
  scope: Scope.CloseableScope
): Connected<A> => ({ connection, first, scope, status: connection.response.status })

/** A class, because thousands may wait: shared code is on the prototype. */
class ResumingReader<A, E> implements Source {
  readonly call: Call.Call
  /** The one pull of this reader. */
  readonly next: Pull<A, ApiError.ApiError | E>
  private opened: Opened<A> | undefined
  /** The batches after the first one of the open connection. */
  private onward: Next<A>
  private over = false
  private retryMillis: number | undefined
  /** What the connections before the open one have brought; its id is the one sent last. */
  private before: EventReader.Progress = { lastEventId: undefined, received: 0 }
  /** The number of reconnects since the last one that brought anything new, and what they took from which account. */
  private fruitless = 0
  private paid = 0
  private payer = ""
  private readonly core: Core.Core
  private readonly request: ApiRequest.StreamRequest<A, E>
  private readonly scope: Scope.Scope
  private readonly span: Tracer.Span | undefined

  constructor(
    core: Core.Core,
    call: Call.Call,
    request: ApiRequest.StreamRequest<A, E>,
    scope: Scope.Scope,
    span: Tracer.Span | undefined
  ) {
    this.core = core
    this.call = call
    this.request = request
    this.scope = scope
    this.span = span
    this.onward = Effect.suspend(() => this.go())
    const pulled = Effect.matchEffect(
      Effect.suspend(() => this.onward),
      {
        onFailure: (error) => Effect.zipRight(this.close, own(call, request, error)),
        onSuccess: (batch) => this.handOut(batch)
      }
    )
    this.next = Effect.suspend(() => {
      if (this.over) return Effect.succeed(undefined)
      const more = this.opened?.connection.more()
      return more === undefined ? pulled : this.handOut(more)
    })
  }

  get response(): GuardedResponse.GuardedResponse | undefined {
    return this.opened?.connection.response
  }

  private go(): Next<A> {
    const { before, call, core, request, scope, span } = this
    return Effect.flatMap(
      connect(core, call, request, scope, span, before),
      ({ connection, first, scope }) => {
        // Without the first batch: the reader decides whether to keep it.
        const opened = (this.opened = { connection, scope })
        this.onward = this.reading(opened, connection.next)
        return this.reading(opened, first)
      }
    )
  }

  private get close(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.opened === undefined ? Effect.void : Scope.close(this.opened.scope, Exit.void)
    )
  }

  /**
   * Resumes after the last event with an id, if the contract asks for it, a connection has brought one, and the wait
   * is within the limits. Otherwise fails with the error; without one, the stream ends with the body.
   */
  private resume({ connection }: Opened<A>, error: ApiError.ApiError | undefined): Next<A> {
    const { call, core, request } = this
    const stop = (stoppedBy?: ApiError.StoppedBy): Next<A> =>
      error === undefined
        ? Effect.succeed({ events: [], end: "body" })
        : Attempts.failAfterResponse(call, error, stoppedBy)
    if (!Resumption.goesOn(call, request, connection)) return stop()
    return Effect.flatMap(Effect.all([Effect.clock, Random.next]), ([clock, random]) => {
      const { policy } = call.retry
      this.count(connection)
      const delay = Resumption.wait(policy, { asked: this.retryMillis, fruitless: this.fruitless }, random)
      if (typeof delay === "string") return stop(delay)
      if (Monotonic.now(clock) + delay >= call.deadline) return stop("deadline")
      const isPaid = this.fruitless > 0 && policy.budget !== false
      const { accountOf, budget } = core.attempts
      if (isPaid) this.payer = accountOf(call)
      const paid = isPaid ? budget.take(this.payer, error) : 0
      if (paid === undefined) return stop("budget")
      this.paid += paid
      const observed = error === undefined ? Effect.void : Telemetry.retrying(call, error, delay)
      Resumption.record(call, Monotonic.since(clock, call.begunAt), error, delay)
      return this.close.pipe(
        Effect.zipRight(observed),
        Effect.zipRight(Effect.sleep(delay)),
        Effect.zipRight(Effect.suspend(() => this.go()))
      )
    })
  }

  /** Notes whether a connection brought anything new, and where to resume. */
  private count({ lastEventId: id = "", received, retryMillis }: EventReader.EventReader<A>): void {
    const { call, core } = this
    this.retryMillis = retryMillis ?? this.retryMillis
    const { before } = this
    if (received === 0 && id === before.lastEventId) this.fruitless++
    else {
      this.fruitless = 0
      if (this.paid > 0) core.attempts.budget.giveBack(this.payer, this.paid)
      this.paid = 0
    }
    this.before = { lastEventId: id, received: before.received + received }
    Resumption.goBehind(call, id)
  }

  private reading(from: Opened<A>, next: Next<A>): Next<A> {
    return Effect.matchEffect(next, {
      onFailure: (error) =>
        Resumption.isPassing(this.call, error)
          ? this.resume(from, error)
          : Attempts.failAfterResponse(this.call, error),
      onSuccess: (batch) => (isBare(batch) ? this.resume(from, undefined) : Effect.succeed(batch))
    })
  }

  private handOut(batch: Batch<A>): Pull<A, ApiError.ApiError | E> {
    const { end, events } = batch
    const settle = this.core.permits?.settle
    if (settle !== undefined) for (const event of events) settle(this.call, event)
    // After the end of the body the stream may still resume.
    this.over = end === "terminal" || isBare(batch) || (end === "body" && !this.request.events.resume)
    const handed = events.length === 0 ? this.next : Measuring.streamed(events)
    return this.over ? Effect.zipRight(this.close, handed) : handed
  }
}

type Batch<A> = EventReader.EventBatch<A>
type Next<A> = Effect.Effect<Batch<A>, ApiError.ApiError>

const isBare = <A>({ end, events }: Batch<A>): boolean => end === "body" && events.length === 0

/** The caller's own error: by the contract for an error event, by the status for an error before the stream. */
const own = <E>(
  call: Call.Call,
  { events: { failure } }: ApiRequest.StreamRequest<unknown, E>,
  error: ApiError.ApiError
): Effect.Effect<never, ApiError.ApiError | E> => {
  const inStream = ApiError.isStatusError(error) && !Call.isFailure(call, error.status)
  return OwnFailure.ownFailure(call, error, inStream && failure !== undefined ? [failure] : [])
}
