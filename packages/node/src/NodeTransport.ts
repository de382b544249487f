/**
 * An `HttpClient` for Node with its own connections. An `ApiClient` uses it natively; any other code that needs an
 * `HttpClient` can use it as well.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { ApiConfig, NativeTransport, Timeouts } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { makeAgent } from "./agent/Agent.js"
import { checkOptions } from "./config/checkOptions.js"
import type { Dispatcher, Options } from "./config/TransportOptions.js"
import { canDispatch, noDispatcher } from "./dispatcher/canDispatch.js"
import { dispatcherSender } from "./dispatcher/DispatcherSender.js"
import type { Sender } from "./exchange/Exchange.js"
import { nativeTransport } from "./exchange/nativeTransport.js"
import type { ReceivedResponse } from "./exchange/ReceivedResponse.js"
import { seriesOf } from "./pool/metricSeries.js"
import { proxySecrets } from "./proxy/proxySecrets.js"

export type { Dispatcher, Lookup, Options, Proxy, Tls } from "./config/TransportOptions.js"

/**
 * An `HttpClient` with its own connection pool, which closes with the scope. Fails with an `InvalidConfigError` that
 * names the invalid option.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<HttpClient.HttpClient, ApiConfig.InvalidConfigError, Scope.Scope> =>
  Effect.gen(function* () {
    const timeouts = yield* checkOptions(options)
    if (!canDispatch) return yield* new ApiConfig.InvalidConfigError(noDispatcher)
    const agent = yield* Effect.acquireRelease(
      Either.mapLeft(
        makeAgent(options, seriesOf),
        ({ field, reason }) => new ApiConfig.InvalidConfigError({ key: field, reason })
      ),
      (agent) =>
        options.graceful === true ? Effect.promise(() => agent.close()) : Effect.sync(() => agent.destroy())
    )
    return httpClient(agent, options, timeouts)
  })

/**
 * An `HttpClient` on an undici dispatcher, of version 7 or 8. The caller closes the dispatcher.
 *
 * undici 7 ends the process if a server closes its connection while the reader of a streamed body is slow. undici 8 does not, nor
 * does the transport's own pool.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromDispatcher = (
  dispatcher: Dispatcher,
  options: Pick<Options, "decompress" | "proxy"> = {},
  timeouts: Timeouts.Timeouts = Timeouts.defaults
): HttpClient.HttpClient => httpClient(dispatcherSender(dispatcher), options, timeouts)

const httpClient = (
  sender: Sender,
  options: Pick<Options, "decompress" | "proxy">,
  timeouts: Timeouts.Timeouts
): HttpClient.HttpClient => {
  const secrets = proxySecrets(options.proxy)
  const native = { ...nativeTransport(sender, options), secrets: () => secrets }
  const client = HttpClient.make((request, url, signal) =>
    Effect.mapBoth(
      NativeTransport.awaiting<ReceivedResponse>(withFinalUrl(request, url), (request, listener) => {
        const abort = native.open(request, timeouts, true, listener)
        signal.addEventListener("abort", abort, { once: true })
        return abort
      }),
      {
        onFailure: (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause }),
        onSuccess: (source) => HttpClientResponse.fromWeb(request, webResponse(source))
      }
    )
  )
  return NativeTransport.attach(client, native)
}

/** The URL without its fragment, which is never sent. */
const withFinalUrl = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL
): HttpClientRequest.HttpClientRequest =>
  Object.assign(Object.create(Object.getPrototypeOf(request)), request, {
    url: `${url.origin}${url.pathname}${url.search}`
  })

/** `Response` rejects a body for these statuses. */
const bodilessStatuses: ReadonlySet<number> = new Set([204, 205, 304])

/** Headers that describe the coded body and not the decoded one. */
const codingHeaders: ReadonlySet<string> = new Set(["content-encoding", "content-length"])

const ownChunks = (source: NativeTransport.Source): NativeTransport.Source["chunks"] =>
  Stream.map(source.chunks, NativeTransport.owned)

const webResponse = (source: ReceivedResponse): Response => {
  const { status } = source
  // A server may send any number; the constructor takes these alone.
  const isKnown = status >= 200 && status <= 599
  const response = new Response(
    bodilessStatuses.has(status) ? null : Stream.toReadableStream(ownChunks(source)),
    {
      status: isKnown ? status : 200,
      headers: [
        ...Object.entries(source.headers).filter(
          ([name]) => name !== "set-cookie" && !(source.decoded === true && codingHeaders.has(name))
        ),
        // `set-cookie` is the one header whose values cannot be joined. What the platform makes of them may be no cookies.
        ...source.setCookies.map((value): [string, string] => ["set-cookie", value])
      ]
    }
  )
  return isKnown
    ? response
    : Object.defineProperties(response, { status: { value: status }, ok: { value: false } })
}

/**
 * The transport with default options: up to 1000 connections per origin of which 100 are kept alive, HTTP/2 where a
 * server supports it, and proxies from the environment. Fails with an `InvalidConfigError` that names the environment
 * variable of an unusable proxy.
 *
 * @example
 * ```ts
 * import { ApiClient } from "@effect-api/client"
 * import { NodeTransport } from "@effect-api/node"
 * import { Layer } from "effect"
 *
 * const Live = ApiClient.layer({ baseUrl: "https://api.example.com" }).pipe(Layer.provide(NodeTransport.layer))
 * ```
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<HttpClient.HttpClient, ApiConfig.InvalidConfigError> = Layer.scoped(
  HttpClient.HttpClient,
  Effect.suspend(() => make())
)

/**
 * The transport with options. Fails with an `InvalidConfigError` that names the invalid option.
 *
 * @example
 * ```ts
 * import { NodeTransport } from "@effect-api/node"
 *
 * const Transport = NodeTransport.layerWith({ connections: 50, proxy: "none", allowH2: false })
 * ```
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (
  options: Options
): Layer.Layer<HttpClient.HttpClient, ApiConfig.InvalidConfigError> =>
  Layer.scoped(HttpClient.HttpClient, make(options))
