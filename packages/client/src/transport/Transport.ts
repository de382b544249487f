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
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Monotonic from "../effect/monotonic.js"
import * as PlatformClients from "../effect/platformClients.js"
import { filteredResponse, type PlatformError } from "../effect/platformErrors.js"
import * as Pulls from "../effect/pulls.js"
import type * as ApiError from "../errors/ApiError.js"
import * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import { fetchDefaults, isBrowser, runtime } from "../shared/runtime.js"
import * as AttemptDeadline from "./AttemptDeadline.js"
import * as FetchRequest from "./FetchRequest.js"
import * as NativeExchange from "./NativeExchange.js"
import * as PlatformRequest from "./PlatformRequest.js"
import * as PlatformResponse from "./PlatformResponse.js"
import * as RecordedCall from "./RecordedCall.js"
import type * as TransportContract from "./TransportContract.js"

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
    opened: { headed: headed(inScope), adapt }
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
  })
}

/**
 * Ends a streamed request body with its attempt. After an abort Node's `fetch` drains the rest of it at once, and
 * never releases one whose response came before it was sent.
 */
export const leavingBy =
  (
    until: <A, E, R>(sent: Effect.Effect<A, E, R>, leave: Effect.Effect<unknown>) => Effect.Effect<A, E, R>
  ): TransportContract.Adapt =>
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
export const leaving: TransportContract.Adapt = leavingBy(Effect.ensuring)
