/**
 * A message as it comes, for plain async code.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Message from "../messages/Message.js"
import * as MessageAccumulator from "../messages/MessageAccumulator.js"
import type * as MessageEvent from "../messages/MessageEvent.js"

/**
 * The events of one message, which is asked for when the first of these is read. Loops and the final message may be had at
 * the same time: a loop sees all that comes after its start. When the last loop is left, the connection is closed, unless
 * the final message is waited for.
 *
 * @since 0.1.0
 * @category models
 */
export interface AsyncMessageStream extends AsyncIterable<MessageEvent.MessageEvent> {
  /** The text, piece by piece. */
  readonly textDeltas: () => AsyncIterable<string>
  /** The whole message, read to its end. */
  readonly finalMessage: () => Promise<Message.Message>
  /** The text of the whole message. */
  readonly finalText: () => Promise<string>
}

/**
 * A message from its events.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (events: AsyncIterable<MessageEvent.MessageEvent>): AsyncMessageStream => {
  const accumulator = MessageAccumulator.make()
  const loops = new Set<Array<MessageEvent.MessageEvent>>()
  let source: AsyncIterator<MessageEvent.MessageEvent> | undefined
  let pulling: Promise<void> | undefined
  let waiting = 0
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

  /** One pull at a time, whoever asks; a failure is everyone's. */
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
      if (loops.delete(queue) && loops.size === 0 && waiting === 0) await close()
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
    waiting++
    try {
      while (!ended) await pull()
      if (failure !== undefined) throw failure.error
      return Either.getOrThrowWith(accumulator.end(), identity)
    } finally {
      waiting--
    }
  }

  const stream: AsyncMessageStream = {
    [Symbol.asyncIterator]: iterate,
    async *textDeltas() {
      for await (const event of stream) {
        // Under lenient validation an event may be anything.
        if (event?.type === "content_block_delta" && event.delta?.type === "text_delta")
          yield event.delta.text
      }
    },
    finalMessage,
    finalText: async () => Message.text(await finalMessage())
  }
  return stream
}
