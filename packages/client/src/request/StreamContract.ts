/**
 * What every stream of events agrees on, whatever its framing: how raw events become values, how the stream ends and
 * fails, how long it may be silent.
 */
import type * as Duration from "effect/Duration"
import type * as Stream from "effect/Stream"
import * as ApiSchema from "../response/ApiSchema.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import { combined, type Finder } from "../schema/schemaSecrets.js"
import { toMillis } from "../shared/duration.js"
import * as Invalid from "../shared/invalid.js"
import { InvalidConfigError, refuseUnknown } from "../shared/settings.js"
import type * as ServerSentEvents from "../sse/ServerSentEvents.js"
import * as MediaType from "../wire/mediaType.js"

/** Type id of {@link EventStream}. */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/EventStream")

/**
 * Why a stream stops at an event: it says that the stream is over, it is the last value, it tells of an error, or it cannot
 * be read. `cause` is what a function of the contract threw.
 */
export type Stop =
  | { readonly _tag: "End" }
  | { readonly _tag: "Last" }
  | { readonly _tag: "Error"; readonly data: string }
  | { readonly _tag: "Invalid"; readonly reason: string; readonly data: string; readonly cause?: unknown }

/** Takes what is wrong with an event whose value is handed on as it was parsed, under lenient validation. */
export type OnMisfit = (reason: string, data: string) => void

/** The values of raw events, and, where one of them stops the stream, why, and which. */
export interface Values<out A> {
  readonly values: ReadonlyArray<A>
  readonly stopped: { readonly stop: Stop; readonly at: number } | undefined
}

/** Cuts bytes into raw events. `failure` is set once one has passed the cap. */
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
 */
export interface EventStream<out A, out E = never> {
  readonly [TypeId]: typeof TypeId
  readonly accept: string
  readonly accepts: (mediaType: string) => boolean
  readonly framing: (maxEventBytes: number) => Framing
  /**
   * Reads raw events in turn. Nothing is made for an event but its value. With `onMisfit` a value that does not fit is read as
   * it was parsed; what is no JSON is refused with and without.
   */
  readonly read: (events: ReadonlyArray<ServerSentEvents.ServerSentEvent>, onMisfit?: OnMisfit) => Values<A>
  readonly failure: ResponseDecoder.ResponseDecoder<E> | undefined
  /** Finds in the data of an event what a schema calls a secret. */
  readonly secrets: Finder | undefined
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
 * What both kinds of stream may say. A function among these that throws ends the stream with a `StreamProtocolError`, which
 * keeps what it threw as its `cause`.
 */
export interface CommonOptions<A, D> {
  /**
   * How the stream says that it is over: the literal data of an event that is no value itself (`[DONE]`), blanks around it
   * aside, or a predicate on a value, which is then the last. Without it the stream is over when the body is.
   */
  readonly terminal?: string | ((value: A, event: ServerSentEvents.ServerSentEvent) => boolean) | undefined
  /** The event that tells of an error; `false` if none does. Default: the one that is called `error`. */
  readonly error?:
    | false
    | {
        /**
         * Its name, or a predicate. Of server-sent events without a name the `type` in the data is one; for the default,
         * `error`, there must be a field `error` beside it, so that values of that type stay values.
         */
        readonly event?: string | ((event: ServerSentEvents.ServerSentEvent) => boolean) | undefined
        /**
         * The schema of an error of your own. Without it, and where it does not fit, the error's `type` decides the tag, as it
         * does for statuses.
         */
        readonly schema?: D | undefined
      }
    | undefined
  /** The longest wait from the headers to the first event, not counting what is ignored. */
  readonly firstEventTimeout?: Duration.DurationInput | undefined
  /** The longest wait between two chunks of bytes, instead of the client's `timeouts.idle`. */
  readonly idleTimeout?: Duration.DurationInput | undefined
  /** The longest wait between two events, not counting what is ignored. */
  readonly contentTimeout?: Duration.DurationInput | undefined
  /** The media type that the response must have. */
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
    secrets: combined([failure?.secrets, ...schemas.map(ApiSchema.secretsOf)]),
    hasTerminal: options.terminal !== undefined,
    limits: {
      firstEventTimeout: limit(options.firstEventTimeout),
      idleTimeout: limit(options.idleTimeout),
      contentTimeout: limit(options.contentTimeout)
    }
  } as const
}

/**
 * Throws an `InvalidConfigError` for what is no schema, as plain JavaScript may have it. To be called before any is compiled.
 */
export const refuseNoSchema = (schemas: ReadonlyArray<unknown>): void => {
  if (schemas.length > 0 && schemas.every(ApiSchema.isApiSchema)) return
  throw new InvalidConfigError({
    key: "events.event",
    reason: "must be a schema, or a record of them by the names of events"
  })
}

const commonNames: ReadonlyArray<keyof CommonOptions<never, never>> = [
  "terminal",
  "error",
  "firstEventTimeout",
  "idleTimeout",
  "contentTimeout",
  "contentType"
]

/** The first limit of a contract that makes no sense, by its name, or `undefined`. */
export const problem = (self: EventStream<unknown, unknown>): Invalid.InvalidInput | undefined => {
  const bad = Object.entries(self.limits).find(([, millis]) => millis !== undefined && !(millis > 0))
  return bad && Invalid.invalid(`events.${bad[0]}`, "must be a duration above zero")
}
