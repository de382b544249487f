/**
 * Consumes the events of a message: as a growing message, a complete message, text, blocks or inputs of tools.
 *
 * @since 0.1.0
 */
import type { ApiError } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import type * as ContentBlock from "../content/ContentBlock.js"
import * as Streams from "../effect/streams.js"
import type * as Message from "./Message.js"
import * as MessageAccumulator from "./MessageAccumulator.js"
import type * as MessageEvent from "./MessageEvent.js"

/**
 * An event, and the message up to and including it. A snapshot never changes later.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  readonly event: MessageEvent.MessageEvent
  /** The message up to and including the event. */
  readonly message: Message.Message
}

/**
 * A delta of a tool's input: the JSON that arrived, and the input so far. In `input`, strings grow; any other value appears
 * once it is complete.
 *
 * @since 0.1.0
 * @category models
 */
export interface InputDelta {
  /** The index of the content block. */
  readonly index: number
  /** The id of the tool call. */
  readonly id: string
  /** The name of the tool. */
  readonly name: string
  /** The JSON text that arrived. */
  readonly partial_json: string
  /** The input so far. */
  readonly input: unknown
}

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
): Stream.Stream<Snapshot, E | ApiError.StreamProtocolError, R> =>
  withMessage(events, (event, accumulator) => {
    const message = accumulator.snapshot()
    return message === undefined ? Option.none() : Option.some({ event, message })
  })

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
  withMessage(events, (event, accumulator) =>
    event.type === "content_block_stop"
      ? Option.fromNullable(accumulator.snapshot()?.content[event.index])
      : Option.none()
  )

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
): Stream.Stream<InputDelta, E | ApiError.StreamProtocolError, R> =>
  withMessage(events, (event, accumulator) => {
    if (event?.type !== "content_block_delta" || event.delta.type !== "input_json_delta") return Option.none()
    const { index } = event
    const { partial_json } = event.delta
    const block = accumulator.snapshot()?.content[index]
    if (block === undefined || !isToolUse(block)) return Option.none()
    const { id, name } = block
    return Option.some({
      index,
      id,
      name,
      partial_json,
      // Computed lazily: most programs read few of them.
      get input() {
        return block.input
      }
    })
  })

type ToolUse = ContentBlock.ToolUseBlock | ContentBlock.ServerToolUseBlock | ContentBlock.McpToolUseBlock

/** Checks the fields rather than the type, so that future kinds of tool calls match. */
const isToolUse = (block: ContentBlock.ContentBlock): block is ToolUse => "id" in block && "name" in block

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
): Stream.Stream<string, E, R> =>
  deltas(events, (delta) => (delta.type === "text_delta" ? Option.some(delta.text) : Option.none()))

/**
 * Emits the deltas of the model's thinking.
 *
 * @since 0.1.0
 * @category combinators
 */
export const thinkingDeltas = <E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>
): Stream.Stream<string, E, R> =>
  deltas(events, (delta) => (delta.type === "thinking_delta" ? Option.some(delta.thinking) : Option.none()))

const deltas = <A, E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>,
  pick: (delta: MessageEvent.Delta) => Option.Option<A>
): Stream.Stream<A, E, R> => {
  const pickOf: Streams.Pick<MessageEvent.MessageEvent, A, never> = (event, picked) => {
    // With lenient validation an event may have any shape.
    if (event?.type !== "content_block_delta" || !Predicate.isObject(event.delta)) return undefined
    const found = pick(event.delta)
    if (Option.isSome(found)) picked.push(found.value)
    return undefined
  }
  return Streams.picked(events, () => pickOf)
}

/** Picks a value at every event, given the message so far. */
const withMessage = <A, E, R>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>,
  pick: (event: MessageEvent.MessageEvent, accumulator: MessageAccumulator.Accumulator) => Option.Option<A>
): Stream.Stream<A, E | ApiError.StreamProtocolError, R> =>
  Streams.picked(events, () => {
    const accumulator = MessageAccumulator.make()
    return (event, picked: Array<A>) => {
      const pushed = accumulator.push(event)
      if (Either.isLeft(pushed)) return pushed.left
      const found = pick(event, accumulator)
      if (Option.isSome(found)) picked.push(found.value)
      return undefined
    }
  })
