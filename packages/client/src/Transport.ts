/**
 * One attempt on any `HttpClient`: send, keep the limits the client under us does not know of, and say in our own terms what
 * went wrong.
 *
 * @since 0.1.0
 */

import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import * as ApiResponse from "./ApiResponse.js"
import * as Expiry from "./Expiry.js"
import * as FetchRequest from "./FetchRequest.js"
import { onPull } from "./internal/pulls.js"
import { fetchDefaults, isBrowser, runtime } from "./internal/runtime.js"
import * as NativeTransport from "./NativeTransport.js"
import * as PlatformRequest from "./PlatformRequest.js"
import * as PlatformResponse from "./PlatformResponse.js"
import type * as TransportContract from "./TransportContract.js"
import * as TransportError from "./TransportError.js"

/**
 * Prepares an `HttpClient`, once per client. `init` is what `fetch` is to send with besides.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (client: HttpClient.HttpClient, init?: RequestInit): TransportContract.Transport =>
  Predicate.hasProperty(client, NativeTransport.TypeId)
    ? (client[NativeTransport.TypeId] as TransportContract.Transport)
    : overPlatform(client, init)

const overPlatform = (
  client: HttpClient.HttpClient,
  init: RequestInit | undefined
): TransportContract.Transport => {
  // The platform's own spans show the query and end at the headers.
  const quiet = HttpClient.withTracerDisabledWhen(client, () => true)
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
    <R>(client: HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>): TransportContract.Send<R> =>
    (call, request) => {
      const sent = Effect.catchAll(client.execute(request), (error) =>
        // A client that filters statuses still has the answer: the status check is ours.
        TransportError.isStatusCode(error)
          ? Effect.succeed(error.response)
          : Effect.fail(TransportError.from(call, error))
      )
      return Effect.map(sent, (response) => PlatformResponse.guarded(call, response))
    }
  const limited =
    <R>(send: TransportContract.Send<R>): TransportContract.Send<R> =>
    (call, request) => {
      const limit = call.timeouts.response
      const sent = send(call, request)
      return Number.isFinite(limit)
        ? Effect.timeoutFail(sent, {
            duration: limit,
            onTimeout: () => TransportError.timeout(call, "response", limit)
          })
        : sent
    }
  const whole: TransportContract.Send<never> = (call, request) =>
    Effect.scopedWith((scope) =>
      Effect.flatMap(Clock.currentTimeMillis, (since) => {
        const watch: Expiry.Watch = { phase: "response", since }
        const read = headed(inScope)(call, request).pipe(
          Effect.tap((response) =>
            ApiResponse.isSuccess(response.status)
              ? response.readUnder(watch)
              : Effect.suspend(() => {
                  watch.since = Number.POSITIVE_INFINITY
                  return response.salvage(call.config.limits.errorBytes)
                })
          ),
          Effect.provideService(Scope.Scope, scope)
        )
        const endless =
          call.timeouts.response === Number.POSITIVE_INFINITY &&
          call.timeouts.idle === Number.POSITIVE_INFINITY
        return endless ? read : Expiry.expiring(call, watch, read)
      })
    )
  // Elsewhere it may be a client that takes no Blob.
  const adapt = isBrowser ? FetchRequest.adapted(runtime) : asItIs
  return {
    direct: undefined,
    whole: adapt(leaving(whole)),
    scoped: adapt(leavingBroken(limited(headed(inScope)))),
    unscoped: adapt(leavingBroken(limited(headed(plain))))
  }
}

const asItIs = <R>(send: TransportContract.Send<R>): TransportContract.Send<R> => send

const withInit = (context: Context.Context<never>, init: RequestInit): Context.Context<never> => {
  const own = Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit))
  return Context.add(context, FetchHttpClient.RequestInit, {
    ...fetchDefaults(runtime),
    ...init,
    ...own,
    ...(init.redirect && { redirect: init.redirect })
  }) as Context.Context<never>
}

type Leaving = <R>(send: TransportContract.Send<R>) => TransportContract.Send<R>

/**
 * Ends a streamed body with its attempt. After an abort Node's fetch reads what is left of it in one go, to nowhere; of one
 * that the server did not wait for, it never lets go.
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
      const over = Effect.mapError(Deferred.await(left), Option.some)
      const stream = onPull(body.stream, (pull) => Effect.raceFirst(pull, over))
      const sent = HttpBody.stream(stream, body.contentType, body.contentLength)
      return until(
        send(call, PlatformRequest.withBody(request, sent)),
        Deferred.fail(left, new Error("the request is over"))
      )
    })
  }

/**
 * Ends a streamed body with its attempt, however that ends.
 *
 * @since 0.1.0
 * @category combinators
 */
export const leaving: Leaving = leavingBy(Effect.ensuring)

/**
 * Ends a streamed body with an attempt that fails: a server may answer while it still reads, and an answer that is handed over
 * open does not end the body.
 *
 * @since 0.1.0
 * @category combinators
 */
export const leavingBroken: Leaving = leavingBy((sent, leave) => Effect.onError(sent, () => leave))
