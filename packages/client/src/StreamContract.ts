/**
 * What every stream of events agrees on, whatever its framing: how raw events become values, how the stream ends and
 * fails, how long it may be silent.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Stream from "effect/Stream"
import { toMillis } from "./internal/duration.js"
import * as Invalid from "./internal/invalid.js"
import { emptyList } from "./internal/lists.js"
import * as MediaType from "./internal/mediaType.js"
import * as Ready from "./internal/ready.js"
import * as RecurringJson from "./internal/recurringJson.js"
import * as ResponseDecoder from "./ResponseDecoder.js"
import type * as ServerSentEvents from "./ServerSentEvents.js"
import * as ValueSchema from "./ValueSchema.js"

/**
 * Type id of {@link EventStream}.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/EventStream")

/**
 * Why a stream stops at an event: it says that the stream is over, it is the last value, it tells of an error, or it makes no
 * sense.
 *
 * @since 0.1.0
 * @category models
 */
export type Stop =
  | { readonly _tag: "End" }
  | { readonly _tag: "Last" }
  | { readonly _tag: "Error"; readonly data: string }
  | { readonly _tag: "Invalid"; readonly reason: string; readonly data: string }

/**
 * The values of raw events, and, where one of them stops the stream, why, and which.
 *
 * @since 0.1.0
 * @category models
 */
export interface Values<out A> {
  readonly values: ReadonlyArray<A>
  readonly stopped: { readonly stop: Stop; readonly at: number } | undefined
}

/**
 * Cuts bytes into raw events. `failure` is set once one has passed the cap.
 *
 * @since 0.1.0
 * @category models
 */
export interface Framing {
  readonly feed: (bytes: Uint8Array) => ReadonlyArray<ServerSentEvents.ServerSentEvent>
  readonly end: () => ReadonlyArray<ServerSentEvents.ServerSentEvent>
  readonly failure: unknown
  readonly lastEventId: string | undefined
  readonly retry: number | undefined
}

/**
 * The contract of a stream of `A` that may fail with the caller's own `E`. Limits are in milliseconds, `undefined` where
 * the contract sets none.
 *
 * @since 0.1.0
 * @category models
 */
export interface EventStream<out A, out E = never> {
  readonly [TypeId]: typeof TypeId
  readonly accept: string
  readonly accepts: (mediaType: string) => boolean
  readonly framing: (maxEventBytes: number) => Framing
  /** Reads raw events in turn. Nothing is made for an event but its value. */
  readonly read: (events: ReadonlyArray<ServerSentEvents.ServerSentEvent>) => Values<A>
  readonly failure: ResponseDecoder.ResponseDecoder<E> | undefined
  /** `Streaming.stream`: it comes with the contract, so that a program without streams does not carry it along. */
  readonly run: (core: never, request: never) => Stream.Stream<unknown, unknown>
  readonly hasTerminal: boolean
  readonly resume: boolean
  readonly limits: {
    readonly firstEventTimeout: number | undefined
    readonly idleTimeout: number | undefined
    readonly contentTimeout: number | undefined
  }
}

/**
 * What both kinds of stream may say.
 *
 * - `terminal`: how the stream says that it is over: the literal data of an event that is no value itself (`[DONE]`), or a
 *   predicate on a value, which is then the last. Without it the stream is over when the body is.
 * - `error`: the event that tells of an error, by its name (`error`) or by a predicate, and a schema for an error of your
 *   own; `false` if no event does. Without a schema, and where it does not fit, the error's `type` decides the tag, as it
 *   does for statuses.
 * - `firstEventTimeout`: from the headers to the first event; `contentTimeout`: between two events, both not counting what is
 *   ignored; `idleTimeout`: between two chunks of bytes, instead of the client's `timeouts.idle`.
 * - `contentType`: the media type the answer must have.
 *
 * @since 0.1.0
 * @category models
 */
export interface CommonOptions<A, D> {
  readonly terminal?: string | ((value: A, event: ServerSentEvents.ServerSentEvent) => boolean) | undefined
  readonly error?:
    | false
    | {
        readonly event?: string | ((event: ServerSentEvents.ServerSentEvent) => boolean) | undefined
        readonly schema?: D | undefined
      }
    | undefined
  readonly firstEventTimeout?: Duration.DurationInput | undefined
  readonly idleTimeout?: Duration.DurationInput | undefined
  readonly contentTimeout?: Duration.DurationInput | undefined
  readonly contentType?: string | undefined
}

/**
 * What becomes of a single event: `ignored` ones count for nothing, and one whose name the contract does not know is passed
 * on as it is, or not.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reading {
  readonly ignored: Test
  readonly decoderOf: (event: string) => DataDecode | undefined
  readonly unknown: "skip" | "fail" | "pass"
}

/**
 * From the data of an event to its value, or to what is wrong with it.
 *
 * @since 0.1.0
 * @category models
 */
export type DataDecode = (data: string) => unknown

/**
 * Decodes the data of events, JSON that fits a schema. To be made once for a contract: it learns what its events look like.
 *
 * @since 0.1.0
 * @category constructors
 */
export const dataDecoder = (schema: ValueSchema.ValueSchema): DataDecode => {
  const read = RecurringJson.makeReader(ValueSchema.eventDecoder(schema))
  return (data) => {
    const decoded = read(data)
    if (decoded === RecurringJson.notJson) return new Refused("is not valid JSON")
    return decoded instanceof ValueSchema.Unfitting ? refused(decoded) : decoded
  }
}

class Refused {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

const refused = ({ decoded }: ValueSchema.Unfitting<unknown>): Refused =>
  new Refused(
    Ready.isReady(decoded) && Either.isLeft(decoded)
      ? decoded.left.reason
      : "has a schema that needs async work, which events may not"
  )

/**
 * Reads raw events by the options of a contract: the terminal first, as its literal is no JSON; then errors, by name;
 * then values.
 *
 * @since 0.1.0
 * @category constructors
 */
export const reader = <A>(
  options: CommonOptions<A, ResponseDecoder.Decodable>,
  { decoderOf, ignored, unknown }: Reading
): ((events: ReadonlyArray<ServerSentEvents.ServerSentEvent>) => Values<A>) => {
  const { error, terminal } = options
  const isError = errorTest(error === false ? undefined : (error?.event ?? "error"))
  const readOne = (event: ServerSentEvents.ServerSentEvent, into: Array<A>): Stop | undefined => {
    if (ignored(event)) return undefined
    const { data } = event
    if (typeof terminal === "string" && data === terminal) return end
    if (isError(event)) return { _tag: "Error", data }
    const decode = decoderOf(event.event)
    if (decode === undefined) {
      if (unknown === "pass") into.push(event as A)
      return unknown === "fail"
        ? invalid("has a name that the contract does not know", event.event)
        : undefined
    }
    const decoded = decode(data)
    if (decoded instanceof Refused) return invalid(decoded.reason, data)
    const value = decoded as A
    into.push(value)
    return typeof terminal === "function" && terminal(value, event) ? last : undefined
  }
  return (events) => {
    const values = emptyList<A>()
    for (let at = 0; at < events.length; at++) {
      const event = events[at]
      const stop = event === undefined ? undefined : readOne(event, values)
      if (stop !== undefined) return new Batch(values, { stop, at })
    }
    return new Batch(values, undefined)
  }
}

class Batch<A> implements Values<A> {
  readonly values: ReadonlyArray<A>
  readonly stopped: Values<A>["stopped"]

  constructor(values: ReadonlyArray<A>, stopped: Values<A>["stopped"]) {
    this.values = values
    this.stopped = stopped
  }
}

const end: Stop = { _tag: "End" }
const last: Stop = { _tag: "Last" }
const invalid = (reason: string, data: string): Stop => ({ _tag: "Invalid", reason, data })

type Test = (event: ServerSentEvents.ServerSentEvent) => boolean

const errorTest = (error: string | Test | undefined): Test =>
  error === undefined ? () => false : typeof error === "function" ? error : ({ event }) => event === error

/**
 * The part of a contract that does not depend on the framing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const common = <A, D extends ResponseDecoder.Decodable>(
  options: CommonOptions<A, D>,
  accept: string,
  mediaTypes: ReadonlyArray<string>
) => {
  const types = options.contentType === undefined ? mediaTypes : [MediaType.parse(options.contentType).type]
  const schema = options.error === false ? undefined : options.error?.schema
  const limit = (input: Duration.DurationInput | undefined) =>
    input === undefined ? undefined : toMillis(input)
  return {
    [TypeId]: TypeId,
    accept: options.contentType ?? accept,
    accepts: (mediaType: string) => types.includes(mediaType),
    failure: schema === undefined ? undefined : ResponseDecoder.fromFailure(schema),
    hasTerminal: options.terminal !== undefined,
    limits: {
      firstEventTimeout: limit(options.firstEventTimeout),
      idleTimeout: limit(options.idleTimeout),
      contentTimeout: limit(options.contentTimeout)
    }
  } as const
}

/**
 * The first limit of a contract that makes no sense, by its name, or `undefined`.
 *
 * @since 0.1.0
 * @category validation
 */
export const problem = (self: EventStream<unknown, unknown>): Invalid.InvalidInput | undefined => {
  const bad = Object.entries(self.limits).find(([, millis]) => millis !== undefined && !(millis > 0))
  return bad && Invalid.invalid(`events.${bad[0]}`, "must be a duration above zero")
}
