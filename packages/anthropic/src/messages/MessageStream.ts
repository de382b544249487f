/**
 * Consumes the events of a message: as a growing message, a complete message, text, blocks or inputs of tools.
 *
 * @since 0.1.0
 */
import type { ApiError } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type * as ContentBlock from "../content/ContentBlock.js"
import * as Streams from "../effect/streams.js"
import type { InputDelta, OutputDelta, Snapshot } from "./deltas.js"
import * as Message from "./Message.js"
import * as MessageAccumulator from "./MessageAccumulator.js"
import type * as MessageEvent from "./MessageEvent.js"
import * as OutputFormat from "./OutputFormat.js"
import * as Picks from "./picks.js"

/**
 * @since 0.1.0
 */
export type { InputDelta, OutputDelta, Snapshot } from "./deltas.js"

/**
 * Runs the stream and returns the complete message.
 *
 * Fails with the error of the stream, and with:
 *
 * - `StreamTruncatedError` if the stream ends before `message_stop`
 * - `StreamProtocolError` if the events are out of order or the input of a tool is not valid JSON
 *
 * @example
 * ```ts
 * import { Message, MessageStream, type MessageEvent } from "@effect-api/anthropic"
 * import type { ApiError } from "@effect-api/client"
 * import { Effect, type Stream } from "effect"
 *
 * const textOf = (events: Stream.Stream<MessageEvent.MessageEvent, ApiError.ApiError>) =>
 *   MessageStream.finalMessage(events).pipe(Effect.map(Message.text))
 * ```
 * @since 0.1.0
 * @category consuming
 */
export const finalMessage = <E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>
): Effect.Effect<Message.Message, E | ApiError.StreamProtocolError | ApiError.StreamTruncatedError, R> =>
  Effect.suspend(() => {
    const accumulator = MessageAccumulator.make()
    const take = (
      chunk: Iterable<MessageEvent.MessageEvent>
    ): Effect.Effect<void, ApiError.StreamProtocolError> => {
      for (const event of chunk) {
        const pushed = accumulator.push(event)
        if (Either.isLeft(pushed)) return Effect.fail(pushed.left)
      }
      return Effect.void
    }
    return Effect.zipRight(
      Stream.runForEachChunk(events, take),
      Effect.suspend(() => accumulator.end())
    )
  })

/**
 * Runs the stream and returns the text of the message: see {@link finalMessage}.
 *
 * @since 3.2.0
 * @category consuming
 */
export const finalText = <E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>
): Effect.Effect<string, E | ApiError.StreamProtocolError | ApiError.StreamTruncatedError, R> =>
  Effect.map(finalMessage(events), Message.text)

/**
 * Runs the stream and decodes the output of the message, which `output_config` asked for: see {@link finalMessage} and
 * `OutputFormat.parse`.
 *
 * @example
 * ```ts
 * import { Anthropic, MessageStream, OutputFormat } from "@effect-api/anthropic"
 * import { Effect, Schema } from "effect"
 *
 * const format = OutputFormat.make(Schema.Struct({ title: Schema.String, body: Schema.String }))
 *
 * const program = Effect.gen(function* () {
 *   const { messages } = yield* Anthropic.Anthropic
 *   const events = messages.stream({
 *     model: "claude-sonnet-5-5",
 *     max_tokens: 64_000,
 *     messages: [{ role: "user", content: "Tell me a story." }],
 *     output_config: { format }
 *   })
 *   const { parsed_output } = yield* MessageStream.finalParsed(events, format)
 *   return parsed_output.title
 * })
 * ```
 * @since 3.2.0
 * @category consuming
 */
export const finalParsed = <E, R, A>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>,
  format: OutputFormat.OutputFormat<A>
): Effect.Effect<
  OutputFormat.ParsedMessage<A>,
  E | ApiError.StreamProtocolError | ApiError.StreamTruncatedError | OutputFormat.OutputError,
  R
> => Effect.flatMap(finalMessage(events), (message) => OutputFormat.parse(message, format))

/**
 * Pairs every event with the message so far. Drops events before `message_start`.
 *
 * Fails with a `StreamProtocolError` if the events are out of order or the input of a tool is not valid JSON.
 *
 * @example
 * ```ts
 * import { MessageStream, type MessageEvent } from "@effect-api/anthropic"
 * import type { ApiError } from "@effect-api/client"
 * import { Console, Stream } from "effect"
 *
 * const watch = (events: Stream.Stream<MessageEvent.MessageEvent, ApiError.ApiError>) =>
 *   MessageStream.accumulate(events).pipe(
 *     Stream.runForEach(({ message }) => Console.log(message.content.length, message.usage.output_tokens))
 *   )
 * ```
 * @since 0.1.0
 * @category combinators
 */
export const accumulate = <E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>
): Stream.Stream<Snapshot, E | ApiError.StreamProtocolError, R> => withMessage(events, Picks.snapshot)

/**
 * Emits each content block once it is complete.
 *
 * @example
 * ```ts
 * import { MessageStream, type MessageEvent } from "@effect-api/anthropic"
 * import type { ApiError } from "@effect-api/client"
 * import { Console, Stream } from "effect"
 *
 * const print = (events: Stream.Stream<MessageEvent.MessageEvent, ApiError.ApiError>) =>
 *   MessageStream.contentBlocks(events).pipe(
 *     Stream.runForEach((block) => Console.log(block.type))
 *   )
 * ```
 * @since 0.1.0
 * @category combinators
 */
export const contentBlocks = <E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>
): Stream.Stream<ContentBlock.ContentBlock, E | ApiError.StreamProtocolError, R> =>
  withMessage(events, Picks.contentBlock)

/**
 * Emits the inputs of tools as they grow, including those of server tools.
 *
 * @example
 * ```ts
 * import { MessageStream, type MessageEvent } from "@effect-api/anthropic"
 * import type { ApiError } from "@effect-api/client"
 * import { Console, Stream } from "effect"
 *
 * const watch = (events: Stream.Stream<MessageEvent.MessageEvent, ApiError.ApiError>) =>
 *   MessageStream.inputDeltas(events).pipe(
 *     Stream.runForEach(({ input, name }) => Console.log(name, input))
 *   )
 * ```
 * @since 0.1.0
 * @category combinators
 */
export const inputDeltas = <E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>
): Stream.Stream<InputDelta, E | ApiError.StreamProtocolError, R> => withMessage(events, Picks.inputDelta)

/**
 * Emits a structured output as it grows.
 *
 * @example
 * ```ts
 * import { MessageStream, type MessageEvent } from "@effect-api/anthropic"
 * import type { ApiError } from "@effect-api/client"
 * import { Console, Stream } from "effect"
 *
 * const watch = (events: Stream.Stream<MessageEvent.MessageEvent, ApiError.ApiError>) =>
 *   MessageStream.outputDeltas(events).pipe(Stream.runForEach(({ output }) => Console.log(output)))
 * ```
 * @since 3.2.0
 * @category combinators
 */
export const outputDeltas = <E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>
): Stream.Stream<OutputDelta, E, R> => deltas(events, Picks.outputDelta)

/**
 * Emits the text deltas.
 *
 * @example
 * ```ts
 * import { MessageStream, type MessageEvent } from "@effect-api/anthropic"
 * import type { ApiError } from "@effect-api/client"
 * import { Console, Stream } from "effect"
 *
 * const print = (events: Stream.Stream<MessageEvent.MessageEvent, ApiError.ApiError>) =>
 *   MessageStream.textDeltas(events).pipe(
 *     Stream.runForEach((text) => Console.log(text))
 *   )
 * ```
 * @since 0.1.0
 * @category combinators
 */
export const textDeltas = <E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>
): Stream.Stream<string, E, R> => deltas(events, () => Picks.text)

/**
 * Emits the deltas of the model's thinking.
 *
 * @since 0.1.0
 * @category combinators
 */
export const thinkingDeltas = <E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>
): Stream.Stream<string, E, R> => deltas(events, () => Picks.thinking)

const deltas = <A, E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>,
  makePick: () => (event: MessageEvent.MessageEvent) => A | undefined
): Stream.Stream<A, E, R> =>
  Streams.picked(events, (): Streams.Pick<MessageEvent.MessageEvent, A, never> => {
    const pick = makePick()
    return (event, picked) => {
      const found = pick(event)
      if (found !== undefined) picked.push(found)
      return undefined
    }
  })

/** Picks a value at every event, given the message so far. */
const withMessage = <A, E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>,
  pick: Picks.Pick<A>
): Stream.Stream<A, E | ApiError.StreamProtocolError, R> =>
  Streams.picked(events, () => {
    const accumulator = MessageAccumulator.make()
    return (event, picked: Array<A>) => {
      const pushed = accumulator.push(event)
      if (Either.isLeft(pushed)) return pushed.left
      const found = pick(event, accumulator)
      if (found !== undefined) picked.push(found)
      return undefined
    }
  })
