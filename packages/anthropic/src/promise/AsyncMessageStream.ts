/** A streamed message for plain async code. */
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Message from "../messages/Message.js"
import * as MessageAccumulator from "../messages/MessageAccumulator.js"
import type * as MessageEvent from "../messages/MessageEvent.js"

/**
 * The events of one message. Reading the first event sends the request.
 *
 * Several loops and `finalMessage` may run at the same time. A loop sees all events that arrive after its start. Leaving the
 * last loop closes the connection, unless `finalMessage` is pending.
 *
 * @since 0.1.0
 * @category models
 */
export interface AsyncMessageStream extends AsyncIterable<MessageEvent.MessageEvent> {
  /** Iterates over the text deltas. */
  readonly textDeltas: () => AsyncIterable<string>
  /** Reads the stream to its end and returns the complete message. */
  readonly finalMessage: () => Promise<Message.Message>
  /** Reads the stream to its end and returns the text of the message. */
  readonly finalText: () => Promise<string>
}

/** Makes a stream from the events of a message. */
export const make = (events: AsyncIterable<MessageEvent.MessageEvent>): AsyncMessageStream => {
  const accumulator = MessageAccumulator.make()
  const loops = new Set<Array<MessageEvent.MessageEvent>>()
  let source: AsyncIterator<MessageEvent.MessageEvent> | undefined
  let pulling: Promise<void> | undefined
  let pendingFinals = 0
  let ended = false
  let failure: { readonly error: unknown } | undefined

  const close = async (): Promise<void> => {
    ended = true
    await source?.return?.()
  }

  const advance = async (): Promise<void> => {
    try {
      source ??= events[Symbol.asyncIterator]()
      const next = await source.next()
      if (next.done === true) {
        ended = true
        return
      }
      for (const queue of loops) queue.push(next.value)
      Either.getOrThrowWith(accumulator.push(next.value), identity)
    } catch (error) {
      failure = { error }
      await close()
    } finally {
      pulling = undefined
    }
  }

  /** Pulls one event at a time for all consumers. All of them get a failure. */
  const pull = async (): Promise<void> => {
    pulling ??= advance()
    await pulling
    if (failure !== undefined) throw failure.error
  }

  const iterate = (): AsyncIterator<MessageEvent.MessageEvent, undefined> => {
    const queue: Array<MessageEvent.MessageEvent> = []
    loops.add(queue)
    const leave = async (): Promise<IteratorResult<never, undefined>> => {
      queue.length = 0
      if (loops.delete(queue) && loops.size === 0 && pendingFinals === 0) await close()
      return { done: true, value: undefined }
    }
    return {
      next: async () => {
        for (;;) {
          const value = queue.shift()
          if (value !== undefined) return { done: false, value }
          if (failure !== undefined) throw failure.error
          if (ended || !loops.has(queue)) return leave()
          await pull()
        }
      },
      return: leave
    }
  }

  const finalMessage = async (): Promise<Message.Message> => {
    pendingFinals++
    try {
      while (!ended) await pull()
      if (failure !== undefined) throw failure.error
      return Either.getOrThrowWith(accumulator.end(), identity)
    } finally {
      pendingFinals--
    }
  }

  const stream: AsyncMessageStream = {
    [Symbol.asyncIterator]: iterate,
    async *textDeltas() {
      for await (const event of stream) {
        // With lenient validation an event may have any shape.
        if (event?.type === "content_block_delta" && event.delta?.type === "text_delta")
          yield event.delta.text
      }
    },
    finalMessage,
    finalText: async () => Message.text(await finalMessage())
  }
  return stream
}
