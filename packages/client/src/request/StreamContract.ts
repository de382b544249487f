/**
 * The contract of every stream of events, whatever its framing: how raw events become values, how the stream ends and
 * fails, how long it may be silent.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as ApiSchema from "../response/ApiSchema.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import * as SchemaDecoder from "../response/schemaDecoder.js"
import { combined, type Finder } from "../schema/schemaSecrets.js"
import { toMillis } from "../shared/duration.js"
import * as Invalid from "../shared/invalid.js"
import { InvalidConfigError, refuseUnknown } from "../shared/settings.js"
import type * as ServerSentEvents from "../sse/ServerSentEvents.js"
import * as MediaType from "../wire/mediaType.js"

/** Type id of {@link EventStream}. */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/EventStream")

/**
 * Why a stream stops at an event: it ends the stream, it is the last value, it is an error, or it is invalid. `cause`
 * is an exception of a function of the contract.
 */
export type Stop =
  | { readonly _tag: "End" }
  | { readonly _tag: "Last" }
  | { readonly _tag: "Error"; readonly data: string }
  | { readonly _tag: "Invalid"; readonly reason: string; readonly data: string; readonly cause?: unknown }

/** Receives the problem with an event whose parsed value is passed on under lenient validation. */
export type OnMisfit = (reason: string, data: string) => void

/** The values of raw events; if one of them stops the stream, also why, and its index. */
export interface Values<out A> {
  readonly values: ReadonlyArray<A>
  readonly stopped: { readonly stop: Stop; readonly at: number } | undefined
}

/**
 * Splits bytes into raw events. `write` takes a chunk, which must not change until it is read: `next` returns the events of some
 * more of it, perhaps none, and `undefined` at its end. `failure` is set once an event exceeds the cap.
 */
export interface Framing {
  readonly write: (bytes: Uint8Array) => void
  readonly next: () => ReadonlyArray<ServerSentEvents.ServerSentEvent> | undefined
  readonly end: () => ReadonlyArray<ServerSentEvents.ServerSentEvent>
  readonly failure: unknown
  readonly lastEventId: string | undefined
  readonly retry: number | undefined
}

/**
 * The contract of a stream of `A` that may fail with the caller's own `E`. Limits are in milliseconds; `undefined`
 * means none.
 *
 * @since 0.1.0
 * @category models
 */
export interface EventStream<out A, out E = never> {
  readonly [TypeId]: typeof TypeId
  readonly accept: string
  readonly accepts: (mediaType: string) => boolean
  /** `lastEventId` is the id that the connection before has left. */
  readonly framing: (maxEventBytes: number, lastEventId?: string) => Framing
  /**
   * Reads raw events in turn, and allocates nothing for an event but its value. With `onMisfit` an undecodable event
   * yields its parsed value; an event that is no JSON is invalid either way.
   */
  readonly read: (events: ReadonlyArray<ServerSentEvents.ServerSentEvent>, onMisfit?: OnMisfit) => Values<A>
  readonly failure: ResponseDecoder.ResponseDecoder<E> | undefined
  /** Finds the values in an event's data that a schema marks as secret. */
  readonly secrets: Finder | undefined
  /** `Streaming.stream`, carried by the contract so that a program without streams does not bundle it. */
  readonly run: (core: never, request: never) => Stream.Stream<unknown, unknown>
  /** `Streaming.streamWithResponse`, for the same reason. */
  readonly runWithResponse: (core: never, request: never) => Effect.Effect<unknown, unknown, Scope.Scope>
  readonly hasTerminal: boolean
  readonly resume: boolean
  readonly limits: {
    readonly firstEventTimeout: number | undefined
    readonly idleTimeout: number | undefined
    readonly contentTimeout: number | undefined
  }
}

/**
 * The options of both kinds of stream. If one of these functions throws, the stream ends with a `StreamProtocolError`
 * whose `cause` is the exception.
 */
export interface CommonOptions<A, D> {
  /**
   * How the stream ends: the literal data of an event that is no value itself (`[DONE]`), surrounding blanks ignored,
   * or a predicate on a value, which is then the last. Without it the stream ends with the body.
   */
  readonly terminal?: string | ((value: A, event: ServerSentEvents.ServerSentEvent) => boolean) | undefined
  /** The event that reports an error; `false` if none does. Default: the event named `error`. */
  readonly error?:
    | false
    | {
        /**
         * Its name, or a predicate. A server-sent event without a name is named by the `type` in its data. For the
         * default, `error`, the data must also have a field `error`, so that values of that type remain values.
         */
        readonly event?: string | ((event: ServerSentEvents.ServerSentEvent) => boolean) | undefined
        /**
         * The schema of an error of your own. Without it, or if it does not fit, the error's `type` decides the tag,
         * as it does for statuses.
         */
        readonly schema?: D | undefined
      }
    | undefined
  /** The longest wait from the headers to the first event; ignored events do not count. */
  readonly firstEventTimeout?: Duration.DurationInput | undefined
  /** The longest wait between two chunks of bytes, instead of the client's `timeouts.idle`. */
  readonly idleTimeout?: Duration.DurationInput | undefined
  /** The longest wait between two events; ignored events do not count. */
  readonly contentTimeout?: Duration.DurationInput | undefined
  /** The required media type of the response. */
  readonly contentType?: string | undefined
}

/** The part of a contract that does not depend on the framing. */
export const common = <A, D extends ResponseDecoder.Decodable>(
  options: CommonOptions<A, D>,
  accept: string,
  mediaTypes: ReadonlyArray<string>,
  schemas: ReadonlyArray<ApiSchema.ApiSchema>,
  ownNames: ReadonlyArray<string> = []
) => {
  refuseUnknown("events", options, [...commonNames, ...ownNames])
  const types = options.contentType === undefined ? mediaTypes : [MediaType.parse(options.contentType).type]
  const schema = options.error === false ? undefined : options.error?.schema
  const failure = schema === undefined ? undefined : ResponseDecoder.fromFailure(schema)
  const limit = (input: Duration.DurationInput | undefined) =>
    input === undefined ? undefined : toMillis(input)
  return {
    [TypeId]: TypeId,
    accept: options.contentType ?? accept,
    accepts: (mediaType: string) => types.includes(mediaType),
    failure,
    secrets: combined([failure?.secrets, ...schemas.map(SchemaDecoder.secretsOf)]),
    hasTerminal: options.terminal !== undefined,
    limits: {
      firstEventTimeout: limit(options.firstEventTimeout),
      idleTimeout: limit(options.idleTimeout),
      contentTimeout: limit(options.contentTimeout)
    }
  } as const
}

/**
 * Throws an `InvalidConfigError` for a value that is no schema, as plain JavaScript may pass it. Call it before any
 * schema is compiled.
 */
export const refuseNoSchema = (schemas: ReadonlyArray<unknown>): void => {
  if (schemas.length > 0 && schemas.every(SchemaDecoder.isApiSchema)) return
  throw new InvalidConfigError({
    key: "events.event",
    reason: "must be a schema, or a record of them by the names of events"
  })
}

/** The same for the events to ignore. */
export const refuseNoTest = (ignore: unknown): void => {
  if (ignore === undefined || typeof ignore === "function") return
  if (Array.isArray(ignore) && ignore.every((name) => typeof name === "string")) return
  throw new InvalidConfigError({ key: "events.ignore", reason: "must be a list of names, or a function" })
}

const commonNames: ReadonlyArray<keyof CommonOptions<never, never>> = [
  "terminal",
  "error",
  "firstEventTimeout",
  "idleTimeout",
  "contentTimeout",
  "contentType"
]

/** The first invalid limit of a contract, by its name, or `undefined`. */
export const problem = (self: EventStream<unknown, unknown>): Invalid.InvalidInput | undefined => {
  const bad = Object.entries(self.limits).find(([, millis]) => millis !== undefined && !(millis > 0))
  return bad && Invalid.invalid(`events.${bad[0]}`, "must be a duration above zero")
}
