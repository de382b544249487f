/**
 * The contract of a stream of events: the schema of an event, how the stream ends, how it fails, and how long it may
 * be silent. `ApiClient.stream` enforces it.
 *
 * @since 0.1.0
 */

import * as StreamContract from "../request/StreamContract.js"
import type * as ApiSchema from "../response/ApiSchema.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import * as SchemaDecoder from "../response/schemaDecoder.js"
import { EventFraming } from "../sse/EventFraming.js"
import type * as ServerSentEvents from "../sse/ServerSentEvents.js"
import * as EventDecoder from "./EventDecoder.js"
import * as JsonLines from "./JsonLines.js"
import * as Streaming from "./Streaming.js"
import * as StreamResponse from "./StreamResponse.js"
import * as TaggedDecoder from "./TaggedDecoder.js"

export type { EventStream } from "../request/StreamContract.js"

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
 * An event with its name, its value as `data`, and the last id that the server set, in this event or before.
 *
 * @since 3.1.0
 * @category models
 */
export interface TaggedEvent<out Name extends string, out A> {
  readonly event: Name
  readonly id: string | undefined
  readonly data: A
}

/**
 * The events of an {@link EventSchema} with their names. A record gives a union that `event` discriminates.
 *
 * @since 3.1.0
 * @category models
 */
export type TaggedType<S> = S extends ApiSchema.ApiSchema
  ? TaggedEvent<string, ApiSchema.Type<S>>
  : { readonly [K in keyof S & string]: TaggedEvent<K, ApiSchema.Type<S[K]>> }[keyof S & string]

/**
 * Options of a stream of server-sent events. An event's name is that of `event:`; if a server writes bare `data:`
 * lines, it is the `type` in the data. An event with empty data yields no value, but its id counts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<S, D, U, A = EventType<S>> extends StreamContract.CommonOptions<A, D> {
  /** The schema of the data, which is JSON; or a record of schemas by event name. */
  readonly event: S
  /** Events to drop, such as pings: their names, or a predicate. They still reset `idleTimeout`. */
  readonly ignore?: ReadonlyArray<string> | ((event: ServerSentEvents.ServerSentEvent) => boolean) | undefined
  /** How to treat a name that is not in the record: `skip` it (default), `fail`, or `pass` the raw event. */
  readonly unknown?: U | undefined
  /**
   * How to treat an event that the end of the body cuts short: `emit` it (default: APIs end that way), or `drop` it
   * (the WHATWG rule).
   */
  readonly unterminated?: "emit" | "drop" | undefined
  /**
   * Reconnects with `last-event-id` when the connection breaks, for GET streams whose events have ids. The client
   * waits as long as `retry:` demands, at least 100 ms and at most the policy's `maxRetryAfter`; without `retry:` it
   * backs off by the policy. A connection that brings neither an event nor a new id counts against `maxRetries` and
   * the budget, and lengthens the wait. The client omits an id that no header can carry (control characters, more
   * than 4 KiB): the server then starts over.
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
> => contract(options, decoders)

/**
 * The same contract for a stream of events with their name and id: `{ event, id, data }`, where `data` is the value. A record of
 * schemas gives a union that `event` discriminates. `terminal` takes such an event.
 *
 * An event's `event` is its name in the record. Under a single schema it is the name of the event (WHATWG HTML, 9.2.6): `message`
 * if the server set none and the data has no `type`. With `unknown: "pass"` other events come as they are, with their data as text.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, EventStream } from "@effect-api/client"
 * import { Console, Schema, Stream } from "effect"
 *
 * const changes = ApiRequest.get("/changes", {
 *   events: EventStream.tagged({
 *     event: {
 *       created: Schema.Struct({ title: Schema.String }),
 *       deleted: Schema.Struct({ at: Schema.Number })
 *     },
 *     resume: true
 *   })
 * })
 *
 * const program = ApiClient.stream(changes).pipe(
 *   Stream.runForEach((change) =>
 *     change.event === "created" ? Console.log(change.data.title) : Console.log(change.id, change.data.at)
 *   )
 * )
 * ```
 * @since 3.1.0
 * @category constructors
 */
export const tagged = <
  S extends EventSchema,
  D extends ResponseDecoder.Decodable = never,
  U extends "skip" | "fail" | "pass" = "skip"
>(
  options: Options<S, D, U, TaggedType<S>>
): StreamContract.EventStream<
  TaggedType<S> | (U extends "pass" ? ServerSentEvents.ServerSentEvent : never),
  ResponseDecoder.Type<D>
> => contract(options, (event) => TaggedDecoder.tagging(decoders(event), event))

/** Everything but how the data of an event is decoded. */
const contract = <S extends EventSchema, D extends ResponseDecoder.Decodable, A>(
  options: Options<S, D, "skip" | "fail" | "pass", A>,
  decodersOf: (event: S) => EventDecoder.EventRules["decoderOf"]
): StreamContract.EventStream<A, ResponseDecoder.Type<D>> => {
  const { error, event, ignore, unknown = "skip", unterminated = "emit" } = options
  const schemas = SchemaDecoder.isApiSchema(event) ? [event] : Object.values(event ?? {})
  StreamContract.refuseNoSchema(schemas)
  StreamContract.refuseNoTest(ignore)
  return {
    ...StreamContract.common(options, "text/event-stream", ["text/event-stream"], schemas, ownNames),
    framing: (maxEventBytes, lastEventId) =>
      new EventFraming({ maxEventBytes, unterminated }, (limit) => limit, lastEventId),
    read: EventDecoder.reader(options, {
      ignored: typeof ignore === "function" ? ignore : EventDecoder.named(ignore ?? []),
      isError: error === false ? EventDecoder.never : errorTest(error?.event),
      decoderOf: decodersOf(event),
      unknown
    }),
    resume: options.resume === true,
    run: Streaming.stream,
    runWithResponse: StreamResponse.streamWithResponse
  }
}

const ownNames = ["event", "ignore", "unknown", "unterminated", "resume"]

/** An event that is an error by its `type` alone must also look like one. */
const errorTest = (error: string | EventDecoder.Test | undefined): EventDecoder.Test => {
  if (typeof error === "function") return error
  return error === undefined
    ? EventDecoder.named(["error"], (data) => "error" in data)
    : EventDecoder.named([error])
}

type Decoders = EventDecoder.EventRules["decoderOf"]

const decoders = (event: EventSchema): Decoders => {
  if (SchemaDecoder.isApiSchema(event)) {
    const decode = EventDecoder.dataDecoder(event)
    return () => decode
  }
  const byName = new Map(
    Object.entries(event).map(([name, schema]) => [name, EventDecoder.dataDecoder(schema)])
  )
  return (event) => byName.get(event.event) ?? byName.get(EventDecoder.nameOf(event))
}

/**
 * The contract of newline-delimited JSON (https://jsonlines.org): one value a line; blank lines are skipped.
 *
 * Lines have no names, so `error` is a predicate: `{ event: (line) => line.data.startsWith('{"error"') }`.
 *
 * @example
 * ```ts
 * import { ApiRequest, EventStream } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * const Row = Schema.Struct({ id: Schema.Number })
 * const rows = ApiRequest.get("/export", { events: EventStream.jsonLines(Row) })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const jsonLines: typeof JsonLines.make = JsonLines.make
