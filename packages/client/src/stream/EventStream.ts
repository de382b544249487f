/**
 * The contract of a stream of events, given once: what an event is, how the stream ends, how it fails, how long it may
 * be silent. `ApiClient.stream` keeps it.
 *
 * @since 0.1.0
 */

import * as StreamContract from "../request/StreamContract.js"
import * as ApiSchema from "../response/ApiSchema.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import * as ServerSentEvents from "../sse/ServerSentEvents.js"
import * as EventDecoder from "./EventDecoder.js"
import * as JsonLines from "./JsonLines.js"
import * as Streaming from "./Streaming.js"

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
export type EventSchema = ApiSchema.ApiSchema | { readonly [event: string]: ApiSchema.ApiSchema }

/**
 * The value of an {@link EventSchema}.
 *
 * @since 0.1.0
 * @category models
 */
export type EventType<S> = S extends ApiSchema.ApiSchema
  ? ApiSchema.Type<S>
  : { readonly [K in keyof S]: ApiSchema.Type<S[K]> }[keyof S]

/**
 * What a stream of server-sent events may say besides. Names are those that `event:` gives; where a server sends bare `data:`
 * lines, the `type` in an event's data is its name. An event with empty data is no value: its id counts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<S, D, U> extends StreamContract.CommonOptions<EventType<S>, D> {
  /** The schema of the data, which is JSON; or a record of them by event name. */
  readonly event: S
  /** Events that count for nothing but bytes: their names, or a predicate. */
  readonly ignore?: ReadonlyArray<string> | ((event: ServerSentEvents.ServerSentEvent) => boolean) | undefined
  /** What to do with a name that is not in the record: `skip` (default), `fail`, or `pass` the raw event. */
  readonly unknown?: U | undefined
  /**
   * Whether an event that the end of the body cuts short counts (`emit`, default: APIs end that way) or not (`drop`, the WHATWG
   * rule).
   */
  readonly unterminated?: "emit" | "drop" | undefined
  /**
   * Reconnects with `last-event-id` where the connection breaks, for GET streams whose events have ids. It waits as `retry:`
   * asks, 100 ms at least, and at most `maxRetryAfter` of the retry policy; without that, by the policy's backoff. Connections
   * that bring neither an event nor a new id count against the policy's `maxRetries` and the budget, and wait longer each time.
   * An id that no header can carry (control characters, more than 4 KiB) is left out: the server begins anew.
   */
  readonly resume?: boolean | undefined
}

/**
 * The contract of a stream of server-sent events.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, EventStream } from "@effect-api/client"
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
  const { error, event, ignore, unknown = "skip", unterminated = "emit" } = options
  const schemas = ApiSchema.isApiSchema(event) ? [event] : Object.values(event ?? {})
  StreamContract.refuseNoSchema(schemas)
  return {
    ...StreamContract.common(options, "text/event-stream", ["text/event-stream"], schemas, ownNames),
    framing: (maxEventBytes) => ServerSentEvents.makeDecoder({ maxEventBytes, unterminated }),
    read: EventDecoder.reader(options, {
      ignored: typeof ignore === "function" ? ignore : EventDecoder.named(ignore ?? []),
      isError: error === false ? EventDecoder.never : errorTest(error?.event),
      decoderOf: decoders(event),
      unknown
    }),
    resume: options.resume === true,
    run: Streaming.stream
  }
}

const ownNames = ["event", "ignore", "unknown", "unterminated", "resume"]

/** What nobody called an error, and is one by its `type` alone, has to look like one. */
const errorTest = (error: string | EventDecoder.Test | undefined): EventDecoder.Test => {
  if (typeof error === "function") return error
  return error === undefined
    ? EventDecoder.named(["error"], (data) => "error" in data)
    : EventDecoder.named([error])
}

type Decoders = EventDecoder.EventRules["decoderOf"]

const decoders = (event: EventSchema): Decoders => {
  if (ApiSchema.isApiSchema(event)) {
    const decode = EventDecoder.dataDecoder(event)
    return () => decode
  }
  const byName = new Map(
    Object.entries(event).map(([name, schema]) => [name, EventDecoder.dataDecoder(schema)])
  )
  return (event) => byName.get(event.event) ?? byName.get(EventDecoder.nameOf(event))
}

/**
 * The contract of newline-delimited JSON: see {@link JsonLines.make}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const jsonLines: typeof JsonLines.make = JsonLines.make
