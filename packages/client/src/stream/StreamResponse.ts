/**
 * A stream with the response that it comes from: a value while the response is open. Whoever gets it reads its events once, or
 * leaves them to the scope.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as ApiResponse from "../client/ApiResponse.js"
import type * as Core from "../client/Core.js"
import * as Execution from "../client/Execution.js"
import * as Fibers from "../effect/fibers.js"
import { until } from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as ResponseError from "../request/ResponseError.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import * as Streaming from "./Streaming.js"

/**
 * Runs a request up to its first events, and returns its response with the stream of all of them. Attempts are retried up to
 * that moment. The scope closes the response, if the stream has not ended before. An interruption leaves nothing open.
 */
export const streamWithResponse = <A, E>(
  core: Core.Core,
  request: ApiRequest.StreamRequest<A, E>
): Effect.Effect<ApiResponse.StreamResponse<A, ApiError.ApiError | E>, ApiError.ApiError | E, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.flatMap(Effect.scope, Fibers.forkScope), (scope) =>
      Streaming.open(core, request, scope, begin).pipe(
        Effect.flatten,
        restore,
        Effect.flatMap(({ first, next, source: { call, response } }) => {
          if (response === undefined) return Effect.dieMessage("a stream that has begun has a response")
          const events = new Events(call, response, scope, first, next, request.events.resume)
          const opened = { ...Execution.infoOf(call, response), stream: Streaming.openable(events.open) }
          return Effect.as(Scope.addFinalizer(scope, events.close), {
            ...opened,
            // The ledger of a stream that resumes continues.
            attempts: [...opened.attempts]
          })
        }),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
    )
  )

interface Begun<A, E> {
  readonly first: ReadonlyArray<A> | undefined
  readonly next: Streaming.Pull<A, E>
  readonly source: Streaming.Source
}

/** Waits for the first events. */
const begin = <A, E>(next: Streaming.Pull<A, E>, source: Streaming.Source): Effect.Effect<Begun<A, E>, E> =>
  Effect.map(next, (first) => ({ first, next, source }))

/** The events of an open response, for one run. */
class Events<A, E> {
  private isTaken = false
  private isClosed = false
  private readonly closed = Fibers.makeDeferred<void, never>()
  private readonly call: Call.Call
  private readonly response: GuardedResponse.GuardedResponse
  private readonly scope: Scope.CloseableScope
  private first: ReadonlyArray<A> | undefined
  private readonly next: Pull<A, E>

  constructor(
    call: Call.Call,
    response: GuardedResponse.GuardedResponse,
    scope: Scope.CloseableScope,
    first: ReadonlyArray<A> | undefined,
    next: Pull<A, E>,
    resumes: boolean
  ) {
    this.call = call
    this.response = response
    this.scope = scope
    this.first = first
    const ended = Effect.suspend(() => Effect.fail(this.refusal("was closed with its scope")))
    // A stream that resumes would open another connection after the scope has closed.
    const bounded = resumes ? until(next, Deferred.await(this.closed), ended) : next
    // Some transports fail a read whose connection closes, others end it.
    const pulled = Effect.matchEffect(bounded, {
      onFailure: (error) => (this.isClosed ? ended : Effect.fail(error)),
      onSuccess: (values) => (this.isClosed && values === undefined ? ended : Effect.succeed(values))
    })
    this.next = Effect.suspend(() => (this.isClosed ? ended : pulled))
  }

  /** Begins the one run. The end of the run closes the response. */
  readonly open = (run: Scope.Scope): Effect.Effect<Pull<A, E>, ApiError.ApiError> =>
    Effect.suspend(() => {
      if (this.isTaken) return Effect.fail(this.refusal("was taken as a stream"))
      this.isTaken = true
      return Effect.as(
        Scope.addFinalizer(run, Scope.close(this.scope, Exit.void)),
        Effect.suspend(() => this.pull())
      )
    })

  /** The response is closing. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.isClosed = true
    this.first = undefined
    return Deferred.succeed(this.closed, undefined)
  })

  private pull(): Pull<A, E> {
    const { first } = this
    this.first = undefined
    return first === undefined ? this.next : Effect.succeed(first)
  }

  private refusal(reason: string): ApiError.ApiError {
    return ResponseError.unreadable(this.call, this.response, reason)
  }
}

type Pull<A, E> = Streaming.Pull<A, ApiError.ApiError | E>
