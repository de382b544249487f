/**
 * One attempt on any `HttpClient`: sends, enforces the limits that the client below does not know, and turns its
 * failures into our errors.
 */

import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Monotonic from "../effect/monotonic.js"
import * as PlatformClients from "../effect/platformClients.js"
import { filteredResponse, type PlatformError } from "../effect/platformErrors.js"
import * as Pulls from "../effect/pulls.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import { fetchDefaults, isBrowser, runtime } from "../shared/runtime.js"
import * as AttemptDeadline from "./AttemptDeadline.js"
import * as FetchRequest from "./FetchRequest.js"
import type * as GuardedResponse from "./GuardedResponse.js"
import * as NativeExchange from "./NativeExchange.js"
import * as PlatformRequest from "./PlatformRequest.js"
import * as PlatformResponse from "./PlatformResponse.js"
import * as RecordedCall from "./RecordedCall.js"
import type * as TransportContract from "./TransportContract.js"
import * as Unread from "./unread.js"

/** Prepares an `HttpClient`, once per client. `init` is merged into the options of `fetch`. */
export const make = (client: HttpClient.HttpClient, init?: RequestInit): TransportContract.Transport =>
  isNative(client) ? client[NativeExchange.TypeId] : overPlatform(client, init)

interface NativeClient extends HttpClient.HttpClient {
  readonly [NativeExchange.TypeId]: TransportContract.Transport
}

const isNative = (client: HttpClient.HttpClient): client is NativeClient => NativeExchange.TypeId in client

const overPlatform = (
  client: HttpClient.HttpClient,
  init: RequestInit | undefined
): TransportContract.Transport => {
  const quiet = PlatformClients.withoutSpans(client)
  const plain = HttpClient.makeWith(
    (prepared: Effect.Effect<HttpClientRequest.HttpClientRequest>) =>
      Effect.flatMap(prepared, (request) =>
        Effect.mapInputContext(quiet.execute(request), (context: Context.Context<never>) =>
          withInit(context, { ...init, redirect: FetchRequest.redirectOf(request) })
        )
      ),
    Effect.succeed
  )
  const inScope = HttpClient.withScope(plain)

  const headed =
    <R>(client: HttpClient.HttpClient.With<PlatformError, R>): TransportContract.Send<R> =>
    (call, request) => {
      const sending = isBrowser
        ? client.execute(request)
        : Effect.flatMap(PlatformRequest.withEncodedForm(request), (request) => client.execute(request))
      const sent = Effect.catchAll(RecordedCall.withSecrets(call, sending), (error) => {
        // A client that filters statuses still has the response: the status check is ours.
        const filtered = filteredResponse(error)
        return filtered === undefined
          ? Effect.fail(TransportError.from(call, error))
          : Effect.succeed(filtered)
      })
      return Effect.map(sent, (response) => PlatformResponse.guarded(call, response))
    }
  const streaming: TransportContract.Send<Scope.Scope> = (call, request) => {
    const limit = call.timeouts.response
    const passed = Effect.failSync(() => TransportError.timeout(call, "response", limit))
    return TimeLimits.within(headed(inScope)(call, request), limit, passed)
  }
  /** In a scope that the body keeps open. */
  const streamingUnscoped: TransportContract.Send<never> = (call, request) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Scope.make(), (scope) => {
        const sent = Scope.extend(streaming(call, request), scope)
        return Effect.flatMap(
          Effect.onError(restore(sent), (cause) => Scope.close(scope, Exit.failCause(cause))),
          (response) => kept(call, response, Scope.close(scope, Exit.void))
        )
      })
    )
  const buffered: TransportContract.Send<never> = (call, request) =>
    Effect.scopedWith((scope) =>
      Effect.clockWith((clock) => {
        const watch = AttemptDeadline.makeLimit("response", Monotonic.now(clock))
        const read = headed(inScope)(call, request).pipe(
          Effect.tap(
            (response): Effect.Effect<unknown, ApiError.ApiError> =>
              Call.isFailure(call, response.status)
                ? Effect.suspend(() => {
                    watch.since = Number.POSITIVE_INFINITY
                    return response.salvage(call.config.limits.errorBytes)
                  })
                : response.readUnder(watch)
          ),
          Scope.extend(scope)
        )
        return AttemptDeadline.expiring(call, watch, read)
      })
    )
  // Outside browsers it may be a client that takes no Blob.
  const adapt = isBrowser ? FetchRequest.adapted(runtime) : asItIs
  return {
    buffered: adapt(leaving(buffered)),
    streaming: (scope) =>
      adapt(leavingBroken((call, request) => Scope.extend(streaming(call, request), scope))),
    streamingUnscoped: adapt(leavingBroken(streamingUnscoped))
  }
}

/** An unread body holds its connection: it is cancelled when the response is collected. */
const unread =
  "FinalizationRegistry" in globalThis ? new FinalizationRegistry<() => void>((leave) => leave()) : undefined

/**
 * Keeps a body open until it is read to its end or left. It ends when the idle limit or the deadline passes before
 * anyone reads it, or when the response is collected.
 */
export const kept = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse,
  close: Effect.Effect<void>,
  idle: number = call.timeouts.idle
): Effect.Effect<GuardedResponse.GuardedResponse> =>
  Effect.flatMap(TimeLimits.left(call), (left) =>
    Effect.map(Unread.keep(Math.min(idle, left), closing(call, close)), (keeper) => {
      unread?.register(response.source, keeper.leave)
      return response.keptBy(keeper)
    })
  )

/** The permit of an attempt is held until its body is closed. */
const closing = ({ permit }: Call.Call, close: Effect.Effect<void>): Effect.Effect<void> =>
  permit === undefined ? close : Effect.zipRight(close, Effect.sync(permit.leave))

const asItIs = <R>(send: TransportContract.Send<R>): TransportContract.Send<R> => send

const withInit = (context: Context.Context<never>, init: RequestInit): Context.Context<never> => {
  const own = Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit))
  return Context.add(context, FetchHttpClient.RequestInit, {
    ...fetchDefaults(runtime),
    ...init,
    ...own,
    ...(init.redirect && { redirect: init.redirect })
  })
}

type Leaving = <R>(send: TransportContract.Send<R>) => TransportContract.Send<R>

/**
 * Ends a streamed request body with its attempt. After an abort Node's `fetch` drains the rest of it at once, and
 * never releases one whose response came before it was sent.
 */
const leavingBy =
  (
    until: <A, E, R>(sent: Effect.Effect<A, E, R>, leave: Effect.Effect<unknown>) => Effect.Effect<A, E, R>
  ): Leaving =>
  <R>(send: TransportContract.Send<R>): TransportContract.Send<R> =>
  (call, request) => {
    const { body } = request
    if (body._tag !== "Stream") return send(call, request)
    return Effect.flatMap(Deferred.make<never, Error>(), (left) => {
      const over = Effect.mapError(Deferred.await(left), Pulls.failure)
      const stream = Pulls.onPull(body.stream, (pull) => Effect.raceFirst(pull, over))
      const sent = HttpBody.stream(stream, body.contentType, body.contentLength)
      return until(
        send(call, PlatformRequest.withBody(request, sent)),
        Deferred.fail(left, new Error("the request is over"))
      )
    })
  }

/** Ends a streamed body with its attempt, however that ends. */
export const leaving: Leaving = leavingBy(Effect.ensuring)

/**
 * Ends a streamed request body with an attempt that fails: a server may respond while it still reads, and a response
 * that is returned open does not end the body.
 */
export const leavingBroken: Leaving = leavingBy((sent, leave) => Effect.onError(sent, () => leave))
