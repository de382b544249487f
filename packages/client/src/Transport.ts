/**
 * One attempt on any `HttpClient`: send, keep the limits the client under us does not know of, follow redirects without
 * giving a secret away, and say in our own terms what went wrong.
 *
 * @since 0.1.0
 */
import {
  FetchHttpClient,
  HttpBody,
  HttpClient,
  type HttpClientError,
  type HttpClientRequest
} from "@effect/platform"
import { Clock, Context, Deferred, Effect, Option, Scope, Stream } from "effect"
import type * as ApiError from "./ApiError.js"
import * as ApiResponse from "./ApiResponse.js"
import * as Call from "./Call.js"
import { isBrowser } from "./internal/runtime.js"
import * as NativeTransport from "./NativeTransport.js"
import * as RequestEncoder from "./RequestEncoder.js"
import * as ResponseBody from "./ResponseBody.js"
import * as TransportError from "./TransportError.js"

/**
 * How to have a request answered: the response, whatever its status, under the limits of the call.
 *
 * @since 0.1.0
 * @category models
 */
export type Send<R> = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError, R>

/**
 * An `HttpClient` as this client uses it. Redirects are followed: 307 and 308 keep method and body, the others turn a POST
 * into a GET; a hop to another origin takes no credential along, whatever its header is called; one from https to http is
 * refused. All three fail with a `ConnectionError`, a `TimeoutError` or, where the request cannot be sent, an
 * `InvalidRequestError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transport {
  /** With its body read: of a success all of it, of any other answer what comes up to `limits.errorBytes`. */
  readonly whole: Send<never>
  /** To the headers; the end of the scope aborts what is left. */
  readonly scoped: Send<Scope.Scope>
  /** To the headers; the body aborts itself when it is left, or is let go with the response. */
  readonly unscoped: Send<never>
  /** `whole` without a fiber's step in between, where the transport can: see {@link Direct}. */
  readonly direct: Direct | undefined
}

/**
 * Sends a request that has no streamed body and waits for the answer, inside of `uninterruptibleMask`. `onward` does what is
 * left to do where it is no success: a redirect may have to be followed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Direct {
  readonly send: (
    call: Call.Call,
    request: HttpClientRequest.HttpClientRequest,
    restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  ) => Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError>
  readonly onward: Onward<never>
}

/** What becomes of an answer that may be a redirect. */
type Onward<R> = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest,
  response: ResponseBody.GuardedResponse
) => Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError, R>

/**
 * Prepares an `HttpClient`, once per client. `init` is what `fetch` is to send with besides.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (client: HttpClient.HttpClient, init?: RequestInit): Transport => {
  const native = NativeTransport.get(client)
  return native === undefined ? overPlatform(client, init) : overNative(native)
}

const overNative = (native: NativeTransport.NativeTransport): Transport => {
  const limits = native.setsLimits ? "call" : "transport"
  const failed = (call: Call.Call, cause: unknown): ApiError.ApiError =>
    TransportError.fromCause(call, cause, limits)

  const opening =
    (onAbortable?: (abort: NativeTransport.Abort) => void): Send<never> =>
    (call, request) =>
      Effect.matchEffect(
        NativeTransport.awaiting<NativeTransport.Source>(
          RequestEncoder.withWholeUrl(request),
          (request, listener) => {
            const abort = native.open(request, call.timeouts, onAbortable !== undefined, listener)
            onAbortable?.(abort)
            return abort
          }
        ),
        {
          onFailure: (cause) => Effect.fail(failed(call, cause)),
          onSuccess: (source) =>
            Effect.succeed(new ResponseBody.GuardedResponse(call, request, source, limits))
        }
      )

  const whole: Send<never> = (call, request) =>
    Effect.matchEffect(
      NativeTransport.awaiting<NativeTransport.Exchanged>(
        RequestEncoder.withWholeUrl(request),
        (request, listener) => native.exchange(request, call.timeouts, capOf(call), listener)
      ),
      {
        onFailure: (cause) => Effect.fail(failed(call, cause)),
        onSuccess: (read) =>
          Effect.succeed(new ResponseBody.GuardedResponse(call, request, read.source, limits, read))
      }
    )

  return {
    whole: following(leaving(whole)),
    direct: {
      send: (call, request, restore) =>
        NativeTransport.wait(new Exchange(native, limits, call, request), restore),
      onward: onward(leaving(whole), 0)
    },
    unscoped: following(leavingBroken(opening())),
    scoped: following(
      leavingBroken((call, request) => {
        let abort: NativeTransport.Abort | undefined
        return Effect.zipRight(
          Effect.addFinalizer(() => Effect.sync(() => abort?.())),
          opening((begun) => {
            abort = begun
          })(call, request)
        )
      })
    )
  }
}

const capOf =
  ({ config: { limits } }: Call.Call) =>
  (status: number): number =>
    ApiResponse.isSuccess(status) ? limits.responseBytes : limits.errorBytes

/** One exchange of a call. */
class Exchange
  implements
    NativeTransport.Pending<NativeTransport.Exchanged, ResponseBody.GuardedResponse, ApiError.ApiError>
{
  private readonly native: NativeTransport.NativeTransport
  private readonly limits: "call" | "transport"
  private readonly call: Call.Call
  private readonly request: HttpClientRequest.HttpClientRequest

  constructor(
    native: NativeTransport.NativeTransport,
    limits: "call" | "transport",
    call: Call.Call,
    request: HttpClientRequest.HttpClientRequest
  ) {
    this.native = native
    this.limits = limits
    this.call = call
    this.request = request
  }

  begin(listener: NativeTransport.Listener<NativeTransport.Exchanged>): NativeTransport.Abort {
    const { call, native, request } = this
    return native.exchange(request, call.timeouts, capOf(call), listener)
  }

  answered(read: NativeTransport.Exchanged): Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError> {
    return Effect.succeed(
      new ResponseBody.GuardedResponse(this.call, this.request, read.source, this.limits, read)
    )
  }

  failure(cause: unknown): ApiError.ApiError {
    return TransportError.fromCause(this.call, cause, this.limits)
  }
}

const overPlatform = (client: HttpClient.HttpClient, init: RequestInit | undefined): Transport => {
  // The platform's own spans show the query and end at the headers.
  const quiet = HttpClient.withTracerDisabledWhen(client, () => true)
  const plain = isBrowser
    ? quiet
    : HttpClient.transformResponse(quiet, (sent) =>
        Effect.mapInputContext(sent, (context: Context.Context<never>) => withManualRedirect(context, init))
      )
  const inScope = HttpClient.withScope(plain)

  const headed =
    <R>(client: HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>): Send<R> =>
    (call, request) => {
      const sent = Effect.catchAll(client.execute(request), (error) =>
        // A client that filters statuses still has the answer: the status check is ours.
        TransportError.isStatusCode(error)
          ? Effect.succeed(error.response)
          : Effect.fail(TransportError.from(call, error))
      )
      return Effect.map(sent, (response) => ResponseBody.fromPlatform(call, response))
    }
  const limited =
    <R>(send: Send<R>): Send<R> =>
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
  const whole: Send<never> = (call, request) =>
    Effect.scopedWith((scope) =>
      Effect.flatMap(Clock.currentTimeMillis, (since) => {
        const watch: ResponseBody.Watch = { phase: "response", since }
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
        return endless ? read : ResponseBody.expiring(call, watch, read)
      })
    )
  return {
    direct: undefined,
    whole: following(leaving(whole)),
    scoped: following(leavingBroken(limited(headed(inScope)))),
    unscoped: following(leavingBroken(limited(headed(plain))))
  }
}

const withManualRedirect = (
  context: Context.Context<never>,
  init: RequestInit | undefined
): Context.Context<never> => {
  const own = Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit))
  return Context.add(context, FetchHttpClient.RequestInit, {
    ...init,
    ...own,
    redirect: "manual"
  }) as Context.Context<never>
}

/**
 * Ends a streamed body with its attempt. After an abort Node's fetch reads what is left of it in one go, to nowhere; of one
 * that the server did not wait for, it never lets go.
 */
const leavingBy =
  (until: <A, E, R>(sent: Effect.Effect<A, E, R>, leave: Effect.Effect<unknown>) => Effect.Effect<A, E, R>) =>
  <R>(send: Send<R>): Send<R> =>
  (call, request) => {
    const { body } = request
    if (body._tag !== "Stream") return send(call, request)
    return Effect.flatMap(Deferred.make<never, Error>(), (left) => {
      const stream = Stream.interruptWhenDeferred(body.stream, left)
      const sent = HttpBody.stream(stream, body.contentType, body.contentLength)
      return until(
        send(call, RequestEncoder.withBody(request, sent)),
        Deferred.fail(left, new Error("the request is over"))
      )
    })
  }

const leaving = leavingBy(Effect.ensuring)

/** A server may answer while it still reads: an answer that is handed over open does not end the body. */
const leavingBroken = leavingBy((sent, leave) => Effect.onError(sent, () => leave))

const following =
  <R>(send: Send<R>, hops = 0): Send<R> =>
  (call, request) =>
    Effect.flatMap(send(call, request), (response) => onward(send, hops)(call, request, response))

const onward =
  <R>(send: Send<R>, hops: number): Onward<R> =>
  (call, request, response) => {
    if (!redirectStatuses.has(response.status)) return Effect.succeed(response)
    const { location } = response.headers
    if (location === undefined) return Effect.succeed(response)
    const next = redirected(call, request, response.status, location, hops)
    if (typeof next === "string") return Effect.succeed(response.refuse(next))
    return Effect.zipRight(
      response.salvage(call.config.limits.errorBytes),
      Effect.suspend(() => following(send, hops + 1)(call, next))
    )
  }

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** The request of the next hop, or why there is none. */
const redirected = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest,
  status: number,
  location: string,
  hops: number
): HttpClientRequest.HttpClientRequest | string => {
  if (hops >= call.config.redirects) return `redirect not followed: more than ${call.config.redirects}`
  const from = new URL(request.url)
  if (!URL.canParse(location, from)) return "redirect not followed: its location does not parse"
  const to = new URL(location, from)
  if (to.protocol !== "https:" && to.protocol !== "http:") return "redirect not followed: it leaves http"
  if (from.protocol === "https:" && to.protocol === "http:")
    return "redirect not followed: it goes from https to http"
  const asGet = status === 303 ? request.method !== "HEAD" : status < 303 && request.method === "POST"
  if (!asGet && !call.encoded.replayable) return "redirect not followed: its body cannot be sent again"
  to.hash = ""
  to.username = ""
  to.password = ""
  let headers: Record<string, string> = { ...request.headers }
  if (asGet) headers = without(headers, (name) => name.startsWith("content-"))
  if (to.origin !== from.origin) {
    const shown = Call.redactor(call).headers(headers)
    headers = without(headers, (name) => name === "host" || shown[name] !== headers[name])
  }
  return RequestEncoder.toHttp(
    { method: asGet ? "GET" : request.method, url: to.href, body: asGet ? HttpBody.empty : request.body },
    RequestEncoder.layered(headers, {})
  )
}

const without = (headers: Record<string, string>, drop: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !drop(name)))
