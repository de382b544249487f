/** A streamed message for code that blocks. */
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Message from "../messages/Message.js"
import * as MessageAccumulator from "../messages/MessageAccumulator.js"
import type * as MessageEvent from "../messages/MessageEvent.js"

/**
 * The events of one message, for one loop. Reading the first event sends the request. Leaving the loop closes the
 * connection.
 *
 * @since 3.2.0
 * @category models
 */
export interface SyncMessageStream extends Iterable<MessageEvent.MessageEvent> {
  /** Iterates over the text deltas. */
  readonly textDeltas: () => Iterable<string>
  /** Reads what is left of the stream and returns the complete message. */
  readonly finalMessage: () => Message.Message
  /** Reads what is left of the stream and returns the text of the message. */
  readonly finalText: () => string
}

const over: IteratorResult<never, undefined> = { done: true, value: undefined }

/** Makes a stream from the events of a message. */
export const make = (events: Iterable<MessageEvent.MessageEvent>): SyncMessageStream => {
  const accumulator = MessageAccumulator.make()
  let source: Iterator<MessageEvent.MessageEvent> | undefined
  let isOver = false
  let failure: { readonly error: unknown } | undefined

  const leave = (): IteratorResult<never, undefined> => {
    isOver = true
    source?.return?.()
    return over
  }
  const next = (): IteratorResult<MessageEvent.MessageEvent, undefined> => {
    if (failure !== undefined) throw failure.error
    if (isOver) return over
    try {
      source ??= events[Symbol.iterator]()
      const read = source.next()
      if (read.done === true) return leave()
      Either.getOrThrowWith(accumulator.push(read.value), identity)
      return read
    } catch (error) {
      failure = { error }
      leave()
      throw error
    }
  }
  const finalMessage = (): Message.Message => {
    while (next().done !== true);
    return Either.getOrThrowWith(accumulator.end(), identity)
  }
  const stream: SyncMessageStream = {
    [Symbol.iterator]: () => ({ next, return: leave }),
    *textDeltas() {
      for (const event of stream) {
        // With lenient validation an event may have any shape.
        if (event?.type === "content_block_delta" && event.delta?.type === "text_delta")
          yield event.delta.text
      }
    },
    finalMessage,
    finalText: () => Message.text(finalMessage())
  }
  return stream
}
