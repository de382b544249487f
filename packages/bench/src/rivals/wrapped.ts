/** The bare clients as the least that a program of Effects makes of them: an Effect for each request, and a `Stream`. */
import { Effect, Layer, ManagedRuntime, Stream } from "effect"
import { agent, eventBatches, http2ByHand, undici } from "./bare.js"
import { effectCalls } from "./effectClient.js"
import type { Open } from "./Rival.js"
import * as Spans from "./spans.js"

const failed = (cause: unknown): Error => new Error("the request failed", { cause })

const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, Error> =>
  Effect.tryPromise({ try: run, catch: failed })

type Request = Effect.Effect<string, Error>

/** The calls of a bare client, each as what `around` makes of its Effect. */
const wrapping =
  (
    open: Open,
    layer: Layer.Layer<never> = Layer.empty,
    around: (baseUrl: string) => (request: Request) => Request = () => (request) => request
  ): Open =>
  async (baseUrl) => {
    const { call, page } = await open(baseUrl)
    const wrapped = around(baseUrl)
    return effectCalls(ManagedRuntime.make(layer), {
      call: wrapped(attempt(call)),
      ...(page && { page: wrapped(attempt(page)) })
    })
  }

export const undiciInEffects: Open = wrapping(undici)

export const http2InEffects: Open = wrapping(http2ByHand)

/** Each request has a span with the attributes that ours has (OpenTelemetry, semantic conventions of HTTP clients). */
export const spanned: Open = wrapping(undici, Spans.layer, (baseUrl) => {
  const { hostname, href, port } = new URL(baseUrl)
  return (request) =>
    request.pipe(
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

/** An element for each chunk of a response: less than the elements of events, which a program wants. */
export const parserInStream: Open = (baseUrl) => {
  const dispatcher = agent()
  const runtime = ManagedRuntime.make(Layer.empty)
  const batches = Stream.suspend(() => Stream.fromAsyncIterable(eventBatches(baseUrl, dispatcher), failed))
  return {
    call: () => Promise.reject(new Error("reads streams only")),
    stream: (onText) =>
      runtime.runPromise(
        Stream.runForEach(batches, (texts) =>
          Effect.sync(() => {
            for (const text of texts) onText(text)
          })
        )
      )
  }
}
