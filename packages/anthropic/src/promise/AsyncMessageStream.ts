/// <reference lib="esnext.disposable" preserve="true" />
/** A streamed message for plain async code. */
import { type ApiResponse, PromiseClient } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import type * as ContentBlock from "../content/ContentBlock.js"
import type { InputDelta, OutputDelta, Snapshot } from "../messages/deltas.js"
import * as Message from "../messages/Message.js"
import * as MessageAccumulator from "../messages/MessageAccumulator.js"
import type * as MessageEvent from "../messages/MessageEvent.js"
import * as OutputFormat from "../messages/OutputFormat.js"
import * as Picks from "../messages/picks.js"

/**
 * The events of messages. Reading the first event sends the request.
 *
 * Several loops and `finalMessage` may run at the same time. A loop sees all events that arrive after its start. Leaving the
 * last loop closes the connection, unless `finalMessage` is pending.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncMessageEvents extends AsyncIterable<MessageEvent.MessageEvent> {
  /** Iterates over the text deltas. */
  readonly textDeltas: () => AsyncIterable<string>
  /** Iterates over the deltas of the model's thinking. */
  readonly thinkingDeltas: () => AsyncIterable<string>
  /** Iterates over the inputs of tools as they grow, including those of server tools. */
  readonly inputDeltas: () => AsyncIterable<InputDelta>
  /** Iterates over the structured output as it grows. */
  readonly outputDeltas: () => AsyncIterable<OutputDelta>
  /** Iterates over the content blocks, each once it is complete. */
  readonly contentBlocks: () => AsyncIterable<ContentBlock.ContentBlock>
  /** Iterates over the events, each with the message up to and including it. */
  readonly accumulate: () => AsyncIterable<Snapshot>
  /** Reads the stream to its end and returns the complete message. */
  readonly finalMessage: () => Promise<Message.Message>
  /** Reads the stream to its end and returns the text of the message. */
  readonly finalText: () => Promise<string>
  /** Reads the stream to its end and decodes the output of the message: see `OutputFormat.parse`. */
  readonly finalParsed: <A>(format: OutputFormat.OutputFormat<A>) => Promise<OutputFormat.ParsedMessage<A>>
}

/**
 * The events of one message.
 *
 * @since 0.1.0
 * @category models
 */
export interface AsyncMessageStream extends AsyncMessageEvents {
  /**
   * Sends the request, and resolves to its response once the first events have arrived. Call it before anything reads the stream.
   * Then read the stream, which closes the response, or close the response yourself.
   */
  readonly withResponse: () => Promise<AsyncMessageResponse>
}

/**
 * The response of a stream: its status, headers, request id, URL and attempts.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncMessageResponse extends ApiResponse.ResponseInfo, AsyncDisposable {
  readonly stream: AsyncMessageStream
  /** Closes the connection. Safe to call at any time. */
  readonly close: () => Promise<void>
}

type Source = AsyncIterable<MessageEvent.MessageEvent>

/** Makes a stream from the events of a message, or from a function that opens its response. */
export const make = (
  events: Source,
  open: () => Promise<PromiseClient.StreamResponse<MessageEvent.MessageEvent>>
): AsyncMessageStream => {
  let opened: Promise<PromiseClient.StreamResponse<MessageEvent.MessageEvent>> | undefined
  let isRead = false
  const source: Source = {
    [Symbol.asyncIterator]: () => {
      isRead = true
      return opened === undefined ? events[Symbol.asyncIterator]() : later(opened)
    }
  }
  const stream: AsyncMessageStream = {
    ...fromEvents(source),
    withResponse: async () => {
      if (opened === undefined && isRead)
        throw new TypeError("withResponse must be called before the stream is read")
      opened ??= open()
      const { stream: _, ...response } = await opened
      return { ...response, stream }
    }
  }
  return stream
}

/** The events of a response that is still opening. */
const later = (
  opened: Promise<PromiseClient.StreamResponse<MessageEvent.MessageEvent>>
): AsyncIterator<MessageEvent.MessageEvent, undefined> => {
  const values = opened.then(({ stream }) => stream[Symbol.asyncIterator]())
  return {
    next: async () => (await values).next(),
    return: async () => (await (await values).return?.()) ?? { done: true, value: undefined }
  }
}

interface Loop {
  /** Takes an event for later. */
  readonly push: (event: MessageEvent.MessageEvent) => void
}

/** Reads events for any number of loops. */
export const fromEvents = (events: Source): AsyncMessageEvents => {
  const accumulator = MessageAccumulator.make()
  const loops = new Set<Loop>()
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
      const pushed = accumulator.push(next.value)
      for (const loop of loops) loop.push(next.value)
      Either.getOrThrowWith(pushed, identity)
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

  /** A loop over what is picked of the events, at the time when they arrive. */
  const iterate = <A>(pick: Picks.Pick<A>): AsyncIterator<A, undefined> => {
    const queue: Array<A> = []
    const loop: Loop = {
      push: (event) => {
        const value = pick(event, accumulator)
        if (value !== undefined) queue.push(value)
      }
    }
    loops.add(loop)
    const leave = async (): Promise<IteratorResult<never, undefined>> => {
      queue.length = 0
      if (loops.delete(loop) && loops.size === 0 && pendingFinals === 0) await close()
      return { done: true, value: undefined }
    }
    return {
      next: async () => {
        for (;;) {
          const found = queue.shift()
          if (found !== undefined) return { done: false, value: found }
          if (failure !== undefined) throw failure.error
          if (ended || !loops.has(loop)) return leave()
          await pull()
        }
      },
      return: leave
    }
  }

  const picked = <A>(makePick: () => Picks.Pick<A>): (() => AsyncIterable<A>) => {
    return () => ({ [Symbol.asyncIterator]: () => iterate(makePick()) })
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

  return {
    [Symbol.asyncIterator]: () => iterate(identity),
    textDeltas: picked(() => Picks.text),
    thinkingDeltas: picked(() => Picks.thinking),
    inputDeltas: picked(() => Picks.inputDelta),
    outputDeltas: picked(Picks.outputDelta),
    contentBlocks: picked(() => Picks.contentBlock),
    accumulate: picked(() => Picks.snapshot),
    finalMessage,
    finalText: async () => Message.text(await finalMessage()),
    finalParsed: async (format) => parsed(await finalMessage(), format)
  }
}

/** Decodes the output of a message. */
export const parsed = async <A>(
  message: Message.Message,
  format: OutputFormat.OutputFormat<A>
): Promise<OutputFormat.ParsedMessage<A>> => {
  try {
    return Either.getOrThrowWith(
      await Effect.runPromise(Effect.either(OutputFormat.parse(message, format))),
      identity
    )
  } catch (error) {
    throw PromiseClient.showCaller(error)
  }
}
