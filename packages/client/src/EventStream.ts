/**
 * The contract of a stream of events, given once: what an event is, how the stream ends, how it fails, how long it may
 * be silent. `ApiClient.stream` keeps it.
 *
 * @since 0.1.0
 */
import * as JsonLines from "./JsonLines.js"
import type * as ResponseDecoder from "./ResponseDecoder.js"
import * as ServerSentEvents from "./ServerSentEvents.js"
import * as StreamContract from "./StreamContract.js"
import * as Streaming from "./Streaming.js"
import * as ValueSchema from "./ValueSchema.js"

/**
 * The contract of a stream of `A` that may fail with the caller's own `E`.
 *
 * @since 0.1.0
 * @category models
 */
export type EventStream<A, E = never> = StreamContract.EventStream<A, E>

/**
 * The schema of every event's data, or one per event name.
 *
 * @since 0.1.0
 * @category models
 */
export type EventSchema = ValueSchema.ValueSchema | { readonly [event: string]: ValueSchema.ValueSchema }

/**
 * The value of an {@link EventSchema}.
 *
 * @since 0.1.0
 * @category models
 */
export type EventType<S> = S extends ValueSchema.ValueSchema
  ? ValueSchema.Type<S>
  : { readonly [K in keyof S]: ValueSchema.Type<S[K]> }[keyof S]

/**
 * What a stream of server-sent events may say besides.
 *
 * - `event`: the schema of the data, which is JSON; or a record of them by event name.
 * - `ignore`: events that count for nothing but bytes: their names, or a predicate.
 * - `unknown`: what to do with a name that is not in the record: `skip` (default), `fail`, or `pass` the raw event.
 * - `unterminated`: whether an event that the end of the body cuts short counts (`emit`, default: APIs end that way) or not
 *   (`drop`, the WHATWG rule).
 * - `resume`: reconnect with `last-event-id` where the connection breaks, for GET streams whose events have ids.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<S, D, U> extends StreamContract.CommonOptions<EventType<S>, D> {
  readonly event: S
  readonly ignore?: ReadonlyArray<string> | ((event: ServerSentEvents.ServerSentEvent) => boolean) | undefined
  readonly unknown?: U | undefined
  readonly unterminated?: "emit" | "drop" | undefined
  readonly resume?: boolean | undefined
}

/**
 * The contract of a stream of server-sent events.
 *
 * @example
 * ```ts
 * import { ApiRequest, EventStream } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * const Delta = Schema.Struct({ type: Schema.Literal("delta"), text: Schema.String })
 * const Stop = Schema.Struct({ type: Schema.Literal("stop") })
 *
 * const answer = ApiRequest.post("/answers", {
 *   body: { question: "why?" },
 *   events: EventStream.make({
 *     event: Schema.Union(Delta, Stop),
 *     ignore: ["ping"],
 *     terminal: (event) => event.type === "stop",
 *     contentTimeout: "30 seconds"
 *   })
 * })
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = <
  S extends EventSchema,
  D extends ResponseDecoder.Decodable = never,
  U extends "skip" | "fail" | "pass" = "skip"
>(
  options: Options<S, D, U>
): StreamContract.EventStream<
  EventType<S> | (U extends "pass" ? ServerSentEvents.ServerSentEvent : never),
  ResponseDecoder.Type<D>
> => {
  const { ignore, unknown = "skip", unterminated = "emit" } = options
  const ignored = typeof ignore === "function" ? ignore : namesOf(ignore ?? [])
  const decoderOf = decoders(options.event)
  return {
    ...StreamContract.common(options, "text/event-stream", ["text/event-stream"]),
    framing: (maxEventBytes) => ServerSentEvents.makeDecoder({ maxEventBytes, unterminated }),
    read: StreamContract.reader(options, { ignored, decoderOf, unknown }),
    resume: options.resume === true,
    run: Streaming.stream
  }
}

const namesOf = (names: ReadonlyArray<string>): ((event: ServerSentEvents.ServerSentEvent) => boolean) => {
  const set = new Set(names)
  return set.size === 0 ? () => false : (event) => set.has(event.event)
}

type Decoders = StreamContract.Reading["decoderOf"]

const decoders = (event: EventSchema): Decoders => {
  if (isValueSchema(event)) {
    const decode = StreamContract.dataDecoder(event)
    return () => decode
  }
  const byName = new Map(
    Object.entries(event).map(([name, schema]) => [name, StreamContract.dataDecoder(schema)])
  )
  return (name) => byName.get(name)
}

const isValueSchema = (event: EventSchema): event is ValueSchema.ValueSchema =>
  "~standard" in event || ValueSchema.isEffectSchema(event)

/**
 * The contract of newline-delimited JSON: see {@link JsonLines.make}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const jsonLines: typeof JsonLines.make = JsonLines.make
