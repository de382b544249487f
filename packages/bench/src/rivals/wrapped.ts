/** The bare clients as the least that a program of Effects makes of them: an Effect for each request, and a `Stream`. */
import { Effect, Layer, ManagedRuntime, Stream } from "effect"
import { agent, eventBatches, http2ByHand, undici } from "./bare.js"
import { effectClient } from "./effectClient.js"
import type { Open } from "./Rival.js"
import * as Spans from "./spans.js"

const failed = (cause: unknown): Error => new Error("the request failed", { cause })

const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, Error> =>
  Effect.tryPromise({ try: run, catch: failed })

type Around = (request: Effect.Effect<string, Error>, baseUrl: string) => Effect.Effect<string, Error>

const wrapping =
  (layer: Layer.Layer<never>, around: Around): Open =>
  async (baseUrl) => {
    const dispatcher = agent()
    const { call, page = call } = await undici(baseUrl)
    return effectClient(ManagedRuntime.make(layer), {
      call: around(attempt(call), baseUrl),
      page: around(attempt(page), baseUrl),
      // An element for each chunk of the response: less than the elements of events, which a program wants.
      events: Stream.suspend(() => Stream.fromAsyncIterable(eventBatches(baseUrl, dispatcher), failed)),
      textOf: (texts) => texts
    })
  }

export const inEffects: Open = wrapping(Layer.empty, (request) => request)

export const http2InEffects: Open = async (baseUrl) => {
  const { call } = await http2ByHand(baseUrl)
  const runtime = ManagedRuntime.make(Layer.empty)
  return effectClient(runtime, { call: attempt(call), events: Stream.empty, textOf: String })
}

/** Each request has a span with the attributes that ours has (OpenTelemetry, semantic conventions of HTTP clients). */
export const spanned: Open = wrapping(Spans.layer, (request, baseUrl) =>
  Effect.suspend(() => {
    const { hostname, href, port } = new URL(baseUrl)
    return request.pipe(
      Effect.tap(() => Effect.annotateCurrentSpan("http.response.status_code", 200)),
      Effect.withSpan("GET", {
        kind: "client",
        captureStackTrace: false,
        attributes: {
          "http.request.method": "GET",
          "server.address": hostname,
          "server.port": Number(port),
          "url.full": href
        }
      })
    )
  })
)
