/**
 * Spans and metrics of messages by OpenTelemetry's conventions for generative AI:
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/
 *
 * @since 3.2.0
 */
import { type ApiClient, ApiConfig, type ApiRequest } from "@effect-api/client"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type { Instrument } from "../config/Instrument.js"
import * as Histograms from "../effect/histograms.js"
import * as Streams from "../effect/streams.js"
import { contentsOf, outputsOf } from "./contents.js"
import * as Seen from "./seen.js"

export type { Instrument } from "../config/Instrument.js"

/**
 * How many tokens calls used, by `gen_ai.token.type` (`input` or `output`) and model. The input includes what came from a cache or
 * went into one.
 *
 * @since 3.2.0
 * @category metrics
 */
export const tokenUsage: Histograms.Histogram = /*#__PURE__*/ Histograms.make(
  "gen_ai.client.token.usage",
  "{token}",
  "Number of input and output tokens used",
  [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864]
)

/**
 * How long calls took, in seconds, with their retries, by model and error. A stream takes until its end.
 *
 * @since 3.2.0
 * @category metrics
 */
export const operationDuration: Histograms.Histogram = /*#__PURE__*/ Histograms.make(
  "gen_ai.client.operation.duration",
  "s",
  "Duration of operations with a model",
  [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
)

/**
 * What spans hold besides the metadata of calls.
 *
 * @since 3.2.0
 * @category models
 */
export interface Options {
  /**
   * Whether spans hold the messages, the system prompt and the response, as JSON (no). They may hold personal data, and grow with
   * the conversation.
   */
  readonly contents?: boolean | undefined
  /** The `gen_ai.provider.name` (`anthropic`): `aws.bedrock`, `gcp.vertex_ai` or another where such a service responds. */
  readonly provider?: string | undefined
}

/**
 * Watches messages: a span `chat <model>` above the span of the HTTP call, and the metrics of this module.
 *
 * Every way to send `POST /v1/messages` counts, by `messages` or by `client`. Without a tracer there are only the metrics. A client
 * without this setting does not load any of it. Throws an `InvalidConfigError` for an option that is unknown or of another kind.
 *
 * @example
 * ```ts
 * import { Anthropic, GenAi } from "@effect-api/anthropic"
 * import { NodeTransport } from "@effect-api/node"
 * import { Layer } from "effect"
 *
 * const Live = Anthropic.layerConfig({ telemetry: GenAi.make() }).pipe(Layer.provide(NodeTransport.layer))
 * ```
 * @since 3.2.0
 * @category constructors
 */
export const make = (options: Options = {}): Instrument => {
  const unknown = ApiConfig.unknown(options, ["contents", "provider"])
  if (unknown !== undefined) throw invalid(unknown.field, unknown.reason)
  const { contents = false, provider = "anthropic" } = options
  if (typeof contents !== "boolean") throw invalid("contents", "must be a boolean")
  if (typeof provider !== "string") throw invalid("provider", "must be a string")
  return {
    instrument: (client, baseUrl) => instrumented(client, { contents, provider, ...serverOf(baseUrl) })
  }
}

const invalid = (field: string, reason: string): ApiConfig.InvalidConfigError =>
  new ApiConfig.InvalidConfigError({ key: `telemetry.${field}`, reason })

interface Settings {
  readonly contents: boolean
  readonly provider: string
  readonly server: string | undefined
  readonly port: number | undefined
}

const serverOf = (baseUrl: string): Pick<Settings, "server" | "port"> => {
  if (!URL.canParse(baseUrl)) return { server: undefined, port: undefined }
  const { hostname, port, protocol } = new URL(baseUrl)
  return { server: hostname, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) }
}

/** The parameters of a request for a message. */
const paramsOf = (request: ApiRequest.Request): Seen.Params | undefined => {
  if (request.method !== "POST" || request.template !== "/v1/messages") return undefined
  const { body } = request.options
  return Predicate.hasProperty(body, "model") && typeof body.model === "string"
    ? { ...body, model: body.model }
    : undefined
}

const instrumented = <F>(client: ApiClient.Client<F>, settings: Settings): ApiClient.Client<F> => ({
  ...client,
  execute: (request) => {
    const params = paramsOf(request)
    const call = client.execute(request)
    return params === undefined ? call : unary(settings, params, call, (value) => value)
  },
  executeWithResponse: (request) => {
    const params = paramsOf(request)
    const call = client.executeWithResponse(request)
    return params === undefined ? call : unary(settings, params, call, ({ value }) => value)
  },
  stream: (request) => {
    const params = paramsOf(request)
    const events = client.stream(request)
    return params === undefined
      ? events
      : Stream.unwrapScoped(
          Effect.suspend(() => {
            const seen = Seen.make(settings.contents)
            return Effect.map(opened(settings, params, seen), (span) => watched(events, seen, span))
          })
        )
  },
  streamWithResponse: (request) => {
    const params = paramsOf(request)
    const call = client.streamWithResponse(request)
    return params === undefined
      ? call
      : Effect.suspend(() => {
          const seen = Seen.make(settings.contents)
          return Effect.flatMap(opened(settings, params, seen), (span) =>
            Effect.map(within(call, span), (response) => ({
              ...response,
              stream: watched(response.stream, seen, span)
            }))
          )
        })
  },
  withOptions: (options: Parameters<typeof client.withOptions>[0]) =>
    instrumented(client.withOptions(options), settings)
})

const within = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  span: Tracer.Span | undefined
): Effect.Effect<A, E, R> => (span === undefined ? effect : Effect.withParentSpan(effect, span))

const unary = <A, E>(
  settings: Settings,
  params: Seen.Params,
  call: Effect.Effect<A, E>,
  messageOf: (value: A) => unknown
): Effect.Effect<A, E> =>
  Effect.scoped(
    Effect.suspend(() => {
      const seen = Seen.make(settings.contents)
      return Effect.flatMap(opened(settings, params, seen), (span) =>
        Effect.map(within(call, span), (value) => {
          Seen.message(seen, messageOf(value))
          return value
        })
      )
    })
  )

/** The same events, seen as they pass. The stream's requests are below the span. */
const watched = <A, E, R>(
  events: Stream.Stream<A, E, R>,
  seen: Seen.Seen,
  span: Tracer.Span | undefined
): Stream.Stream<A, E, R> => {
  const passed = Streams.picked<A, A, E, never, R>(events, () => (event, passed) => {
    Seen.event(seen, event)
    passed.push(event)
    return undefined
  })
  const failing = Stream.tapError(passed, (error) =>
    Effect.sync(() => {
      seen.failure = error
    })
  )
  return span === undefined ? failing : Stream.provideService(failing, Tracer.ParentSpan, span)
}

/** The tracer that is there if none is set: its spans reach nobody, unless they have a parent. */
const isListening: Effect.Effect<boolean> = Effect.suspend(() => {
  const builtIn = Effect.runSync(Effect.tracer)
  return Effect.zipWith(
    Effect.tracer,
    Effect.option(Effect.currentParentSpan),
    (tracer, parent) => tracer !== builtIn || Option.isSome(parent)
  )
})

/** Opens the span of a call until the scope closes, if somebody listens. Measures the call in any case. */
const opened = (
  settings: Settings,
  params: Seen.Params,
  seen: Seen.Seen
): Effect.Effect<Tracer.Span | undefined, never, Scope.Scope> =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeNanos
    const where = {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": settings.provider,
      "gen_ai.request.model": params.model,
      ...(settings.server === undefined ? {} : { "server.address": settings.server })
    }
    const options = {
      kind: "client",
      captureStackTrace: false,
      attributes: {
        ...where,
        ...(settings.port === undefined ? {} : { "server.port": settings.port }),
        ...Seen.requestAttributes(params),
        ...(settings.contents ? contentsOf(params) : {})
      }
    } as const
    const span = (yield* isListening)
      ? yield* Effect.makeSpanScoped(`chat ${params.model}`, options)
      : undefined
    // Runs before the finalizer that ends the span: finalizers run in reverse order.
    yield* Effect.addFinalizer((exit) =>
      Effect.gen(function* () {
        const error = errorOf(exit, seen)
        if (span !== undefined) {
          for (const [name, value] of Object.entries(Seen.responseAttributes(seen)))
            span.attribute(name, value)
          if (settings.contents) {
            for (const [name, value] of Object.entries(outputsOf(seen))) span.attribute(name, value)
          }
          if (error !== undefined) span.attribute("error.type", error)
        }
        const tags = {
          ...where,
          ...(settings.port === undefined ? {} : { "server.port": String(settings.port) }),
          ...(seen.model === undefined ? {} : { "gen_ai.response.model": seen.model })
        }
        const seconds = Number((yield* Clock.currentTimeNanos) - start) / 1e9
        yield* Histograms.record(operationDuration, seconds, {
          ...tags,
          ...(error === undefined ? {} : { "error.type": error })
        })
        for (const [type, count] of Object.entries(Seen.tokens(seen))) {
          if (count !== undefined) {
            yield* Histograms.record(tokenUsage, count, { ...tags, "gen_ai.token.type": type })
          }
        }
      })
    )
    return span
  })

const errorOf = (exit: Exit.Exit<unknown, unknown>, { failure }: Seen.Seen): string | undefined => {
  const error = Exit.isFailure(exit)
    ? Option.getOrElse(Cause.failureOption(exit.cause), () => failure)
    : failure
  if (Predicate.hasProperty(error, "_tag")) return String(error._tag)
  if (error !== undefined) return "_OTHER"
  if (Exit.isSuccess(exit)) return undefined
  return Cause.isInterrupted(exit.cause) ? "interrupted" : "defect"
}
