/**
 * What every stream of events agrees on, whatever its framing: how raw events become values, how the stream ends and
 * fails, how long it may be silent.
 *
 * @since 0.1.0
 */
import { type Duration, Either, Option } from "effect"
import { toMillis } from "./internal/duration.js"
import { type InvalidInput, invalid } from "./internal/invalid.js"
import * as ResponseDecoder from "./ResponseDecoder.js"
import type * as ServerSentEvents from "./ServerSentEvents.js"
import type * as ValueSchema from "./ValueSchema.js"

/**
 * Type id of {@link EventStream}.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/EventStream")

/**
 * What one raw event makes of the stream: nothing or a value more, its end, or its failure.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome<A> =
  | { readonly _tag: "Skip" }
  | { readonly _tag: "Event"; readonly value: A; readonly last: boolean }
  | { readonly _tag: "End" }
  | { readonly _tag: "Error"; readonly data: string }
  | { readonly _tag: "Invalid"; readonly reason: string; readonly data: string }

/**
 * Cuts bytes into raw events. `tooLarge` is set once one has passed the cap.
 *
 * @since 0.1.0
 * @category models
 */
export interface Framing {
  readonly feed: (bytes: Uint8Array) => ReadonlyArray<ServerSentEvents.ServerSentEvent>
  readonly end: () => ReadonlyArray<ServerSentEvents.ServerSentEvent>
  readonly tooLarge: () => boolean
  readonly lastEventId: () => string | undefined
  readonly retry: () => number | undefined
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
  readonly interpret: (event: ServerSentEvents.ServerSentEvent) => Outcome<A>
  readonly failure: ResponseDecoder.ResponseDecoder<E> | undefined
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
 * The outcome of what counts for nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const skip: Outcome<never> = { _tag: "Skip" }

const end: Outcome<never> = { _tag: "End" }

/**
 * Reads raw events by the options of a contract: the terminal first, as its literal is no JSON; then errors, by name;
 * then values.
 *
 * @since 0.1.0
 * @category constructors
 */
export const interpreter = <A>(
  options: CommonOptions<A, ResponseDecoder.Decodable>
): ((
  event: ServerSentEvents.ServerSentEvent,
  decode: ValueSchema.Decode<unknown> | undefined,
  onUnknown: () => Outcome<A>
) => Outcome<A>) => {
  const { error, terminal } = options
  const isError = errorTest(error === false ? undefined : (error?.event ?? "error"))
  return (event, decode, onUnknown) => {
    if (typeof terminal === "string" && event.data === terminal) return end
    if (isError(event)) return { _tag: "Error", data: event.data }
    if (decode === undefined) return onUnknown()
    const parsed = parse(event.data)
    if (Option.isNone(parsed)) return { _tag: "Invalid", reason: "is not valid JSON", data: event.data }
    const result = decode(parsed.value)
    if (!Either.isEither(result)) {
      return {
        _tag: "Invalid",
        reason: "has a schema that needs async work, which events may not",
        data: event.data
      }
    }
    const decoded = result as Either.Either<unknown, ValueSchema.Misfit>
    if (Either.isLeft(decoded)) return { _tag: "Invalid", reason: decoded.left.reason, data: event.data }
    const value = decoded.right as A
    return { _tag: "Event", value, last: typeof terminal === "function" && terminal(value, event) }
  }
}

type Test = (event: ServerSentEvents.ServerSentEvent) => boolean

const errorTest = (error: string | Test | undefined): Test =>
  error === undefined ? () => false : typeof error === "function" ? error : ({ event }) => event === error

const parse = (text: string): Option.Option<unknown> => {
  try {
    return Option.some(JSON.parse(text))
  } catch {
    return Option.none()
  }
}

/**
 * The media type in a header's value, without its parameters.
 *
 * @since 0.1.0
 * @category decisions
 */
export const mediaTypeOf = (contentType: string | undefined): string =>
  (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? ""

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
  const types = options.contentType === undefined ? mediaTypes : [mediaTypeOf(options.contentType)]
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
export const problem = (self: EventStream<unknown, unknown>): InvalidInput | undefined => {
  const bad = Object.entries(self.limits).find(([, millis]) => millis !== undefined && !(millis > 0))
  return bad && invalid(`events.${bad[0]}`, "must be a duration above zero")
}
