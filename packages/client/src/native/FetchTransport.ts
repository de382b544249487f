/**
 * `fetch` as a native transport, with less overhead per request than `FetchHttpClient`. Its timers are the system's:
 * real bytes do not follow a test clock.
 *
 * @since 0.1.0
 */
import * as Cookies from "@effect/platform/Cookies"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpHeaders from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Timeouts from "../config/Timeouts.js"
import * as PlatformClients from "../effect/platformClients.js"
import * as Pulls from "../effect/pulls.js"
import { Collector } from "../shared/bytes.js"
import { onceCollected } from "../shared/onceCollected.js"
import { fetchDefaults, isBrowser, runtime } from "../shared/runtime.js"
import * as FetchRequest from "../transport/FetchRequest.js"
import type * as NativeExchange from "../transport/NativeExchange.js"
import { discardMillis } from "../transport/TransportParts.js"
import { isDecodedByFetch } from "../wire/codings.js"
import * as WebResponse from "../wire/webResponse.js"
import { aborting, Fetching } from "./fetching.js"
import * as NativeClient from "./NativeClient.js"

type Request = HttpClientRequest.HttpClientRequest

const start = (
  fetch: typeof globalThis.fetch,
  init: RequestInit,
  request: Request,
  timeouts: Timeouts.Timeouts
): Fetching => {
  const fetching = new Fetching()
  fetching.timer.expect("ERR_RESPONSE_LIMIT", timeouts.response)
  // `fetch` sets the length of bodies that it holds; the caller sets that of a stream.
  const headers: Record<string, string> = { ...request.headers }
  const body = bodyOf(request)
  const streamed = body instanceof ReadableStream
  if (!streamed) delete headers["content-length"]
  const options: RequestInit & { duplex?: "half" } = {
    ...init,
    redirect: FetchRequest.redirectOf(request),
    method: request.method,
    headers,
    signal: fetching.signal
  }
  if (body !== undefined) options.body = body
  if (streamed) options.duplex = "half"
  fetching.begin(() => fetch(request.url, options))
  return fetching
}

const bodyOf = (request: Request): BodyInit | undefined => {
  const { body } = request
  switch (body._tag) {
    case "Raw":
    case "Uint8Array":
      // The platform declares no type for a raw body; `fetch` itself rejects what it cannot send.
      return body.body as BodyInit
    case "FormData":
      return body.formData
    default:
      return undefined
  }
}

const sourceOf = (
  response: Response,
  sent: Request["headers"],
  chunks: NativeExchange.Source["chunks"]
): NativeExchange.Source => ({
  status: response.status,
  get url() {
    return response.url
  },
  get headers() {
    return WebResponse.withCookies(HttpHeaders.fromInput(response.headers), response.headers)
  },
  get cookies() {
    return Cookies.fromSetCookie(WebResponse.setCookies(response.headers))
  },
  get setCookies() {
    return WebResponse.setCookies(response.headers)
  },
  remoteAddress: Option.none(),
  decoded: isDecodedByFetch(response, sent),
  chunks
})

/**
 * The native transport of a `fetch`. `init` is merged into every request (`credentials`, `cache`, a `dispatcher` of
 * undici).
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  fetch: typeof globalThis.fetch = globalThis.fetch,
  init: RequestInit = {}
): NativeExchange.NativeTransport => {
  const defaults: RequestInit = { ...fetchDefaults(runtime), ...init }
  const run = <A>(
    request: Request,
    timeouts: Timeouts.Timeouts,
    listener: NativeExchange.Listener<A>,
    finish: (fetching: Fetching) => Promise<A>
  ): NativeExchange.Abort => {
    const fetching = start(fetch, defaults, request, timeouts)
    finish(fetching).then(
      (response) => listener.done(response),
      (cause: unknown) => {
        fetching.timer.stop()
        listener.failed(cause)
      }
    )
    return aborting(fetching)
  }
  return {
    setsLimits: false,
    exchange: (request, timeouts, cap, listener) =>
      run(request, timeouts, listener, (fetching) => collect(fetching, request.headers, timeouts.idle, cap)),
    open: (request, timeouts, owned, listener) =>
      run(request, timeouts, listener, async (fetching) => {
        const response = await fetching.head()
        const source = sourceOf(response, request.headers, chunksOf(response, fetching, timeouts.idle))
        fetching.timer.stop()
        if (!owned && response.body !== null) {
          // An unread body holds its connection.
          onceCollected?.register(source, aborting(fetching), fetching)
          // Nobody may ever read it, and it may be all that keeps the program running.
          fetching.timer.quiet = true
          fetching.timer.expect("ERR_IDLE_LIMIT", timeouts.idle)
        }
        return source
      })
  }
}

const collect = async (
  fetching: Fetching,
  sent: Request["headers"],
  idle: number,
  cap: (status: number) => number
): Promise<NativeExchange.Exchanged> => {
  const response = await fetching.head()
  const source = sourceOf(response, sent, Stream.empty)
  const limit = cap(response.status)
  const idleLimit = response.ok ? idle : Math.min(idle, discardMillis)
  const chunks = new Collector()
  const ended = (complete: boolean): NativeExchange.Exchanged => {
    if (complete) fetching.timer.stop()
    else fetching.abort()
    return { source, bytes: chunks.concat(limit), complete }
  }
  return new Promise((resolve, reject) => {
    const next = (): void => {
      fetching.timer.expect("ERR_IDLE_LIMIT", idleLimit)
      fetching.read(
        (chunk) => {
          if (chunk === undefined) return resolve(ended(true))
          chunks.add(chunk)
          if (chunks.size > limit) resolve(ended(false))
          else next()
        },
        (cause) => {
          if (response.ok) return reject(cause)
          // The status is known: a body that breaks off must not hide it.
          fetching.abort()
          resolve({ source, bytes: new Uint8Array(0), complete: false })
        }
      )
    }
    next()
  })
}

const chunksOf = (response: Response, fetching: Fetching, idle: number): NativeExchange.Source["chunks"] => {
  if (response.body === null) return Stream.empty
  const opened = Effect.acquireRelease(
    Effect.sync(() => {
      onceCollected?.unregister(fetching)
      fetching.timer.stop()
      fetching.timer.quiet = false
    }),
    () => Effect.sync(aborting(fetching))
  )
  const pull: Pulls.Pull<Uint8Array, unknown> = Effect.async((resume) => {
    fetching.timer.expect("ERR_IDLE_LIMIT", idle)
    fetching.read(
      (chunk) => {
        fetching.timer.stop()
        resume(chunk === undefined ? Pulls.over : Effect.succeed(Pulls.one(chunk)))
      },
      (cause: unknown) => {
        fetching.timer.stop()
        resume(Pulls.fail(cause))
      }
    )
  })
  return Pulls.fromPull(Effect.as(opened, pull))
}

/**
 * An `HttpClient` on `fetch` that is native to this package's client, and to everything else what `FetchHttpClient` is.
 * `FetchHttpClient.Fetch` and `FetchHttpClient.RequestInit`, provided to this layer, count.
 *
 * @example
 * ```ts
 * import { ApiClient, FetchTransport, NativeTransport } from "@effect-api/client"
 * import { Layer } from "effect"
 *
 * const Live = ApiClient.layer({ baseUrl: "https://api.example.com" }).pipe(Layer.provide(FetchTransport.layer))
 * ```
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = /*#__PURE__*/ Layer.fresh(
  // Each client has the fetch that was provided to it, also where Effect would build a layer once for several.
  /*#__PURE__*/ Layer.provide(
    /*#__PURE__*/ Layer.effect(
      HttpClient.HttpClient,
      /*#__PURE__*/ Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        const fetch = yield* PlatformClients.providedFetch
        const init = yield* Effect.serviceOption(FetchHttpClient.RequestInit)
        const native = make(fetch, Option.getOrUndefined(init))
        return NativeClient.attachWith(client, native, FetchRequest.adapted(runtime), !isBrowser)
      })
    ),
    FetchHttpClient.layer
  )
)
