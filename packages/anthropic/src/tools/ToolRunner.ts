/**
 * Runs a conversation with tools: it calls the model, runs the tools that the model calls, and sends the results back, until
 * the model is done.
 *
 * @since 0.1.0
 */
import type { ApiError } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as CallOptions from "../config/CallOptions.js"
import type * as ContentBlockParam from "../content/ContentBlockParam.js"
import * as Streams from "../effect/streams.js"
import type * as Message from "../messages/Message.js"
import * as MessageAccumulator from "../messages/MessageAccumulator.js"
import type * as MessageEvent from "../messages/MessageEvent.js"
import { startingTools } from "./eagerTools.js"
import { makeLoop, type State } from "./loop.js"
import type { Options, StreamOptions, Turn } from "./RunOptions.js"
import type * as Tool from "./Tool.js"

/**
 * Creates messages: the `messages` of a client, or a stub in a test.
 *
 * @since 0.1.0
 * @category models
 */
export interface Creator<out E = ApiError.ApiError, out R = never> {
  readonly create: (
    params: Message.MessageCreateParams,
    options?: CallOptions.CallOptions
  ) => Effect.Effect<Message.Message, E, R>
}

/**
 * Streams messages: the `messages` of a client, or a stub in a test.
 *
 * @since 0.1.0
 * @category models
 */
export interface Streamer<out E = ApiError.ApiError, out R = never> {
  readonly stream: (
    params: Message.MessageCreateParams,
    options?: CallOptions.CallOptions
  ) => Stream.Stream<MessageEvent.MessageEvent, E, R>
}

/**
 * @since 0.1.0
 */
export type { Compaction, Options, StreamOptions, Turn } from "./RunOptions.js"

/**
 * Emits each message of the model. The tools of a message run concurrently when the next message is pulled, and their results
 * are sent in the order of the calls. If a tool fails, the model gets an error result: see `Tool.handle`. It also
 * gets one for a tool that does not exist, belongs to a toolset, or was removed by a `tool_removal` of the conversation.
 *
 * The stream ends with the first message that calls no tool. It also ends with message number `maxIterations`: its
 * `stop_reason` is then `tool_use`, and its tools do not run. A message cut short by `max_tokens` or a refusal ends it as well,
 * whatever the message calls. A turn that the server paused (`pause_turn`) is sent back, so that the server continues it.
 *
 * @example
 * ```ts
 * import { Message, Tool, ToolRunner } from "@effect-api/anthropic"
 * import { Console, Effect, Schema, Stream } from "effect"
 *
 * const getWeather = Tool.make({
 *   name: "get_weather",
 *   description: "The weather in a city, now.",
 *   input: Schema.Struct({ city: Schema.String }),
 *   run: ({ city }) => Effect.succeed(`Sunny in ${city}`)
 * })
 *
 * const ask = (messages: ToolRunner.Creator) =>
 *   ToolRunner.run(
 *     messages,
 *     {
 *       model: "claude-sonnet-5-5",
 *       max_tokens: 1024,
 *       messages: [{ role: "user", content: "What is the weather in Paris?" }]
 *     },
 *     { tools: [getWeather], maxIterations: 10 }
 *   ).pipe(Stream.runForEach((message) => Console.log(Message.text(message))))
 * ```
 * @since 0.1.0
 * @category running
 */
export const run = <E, R, const Tools extends ReadonlyArray<Tool.Any>>(
  messages: Creator<E, R>,
  params: Message.MessageCreateParams,
  options: Options<Tools>
): Stream.Stream<Message.Message, E, R | Tool.Context<Tools[number]>> =>
  Stream.map(turns(messages, params, options), ({ message }) => message)

/**
 * Like {@link run}, but each message comes with the conversation so far.
 *
 * @example
 * ```ts
 * import { type Message, type Tool, ToolRunner } from "@effect-api/anthropic"
 * import { Stream } from "effect"
 *
 * const conversation = (
 *   messages: ToolRunner.Creator,
 *   params: Message.MessageCreateParams,
 *   tools: ReadonlyArray<Tool.Tool<never, unknown>>
 * ) => ToolRunner.turns(messages, params, { tools }).pipe(Stream.map((turn) => turn.messages), Stream.runLast)
 * ```
 * @since 0.1.0
 * @category running
 */
export const turns = <E, R, const Tools extends ReadonlyArray<Tool.Any>>(
  messages: Creator<E, R>,
  params: Message.MessageCreateParams,
  options: Options<Tools>
): Stream.Stream<Turn, E, R | Tool.Context<Tools[number]>> => {
  const loop = makeLoop(params, options)
  return Streams.unfold(loop.start, (state) =>
    Effect.gen(function* () {
      const next = yield* loop.next(state)
      if (next === undefined) return undefined
      const { state: after, turn } = loop.after(
        state,
        next,
        yield* messages.create(next.request, loop.callOptions)
      )
      return [turn, after] as const
    })
  )
}

/**
 * Like {@link run}, but runs the loop and returns the last message.
 *
 * @example
 * ```ts
 * import { Message, type Tool, ToolRunner } from "@effect-api/anthropic"
 * import { Effect } from "effect"
 *
 * const finalText = (
 *   messages: ToolRunner.Creator,
 *   params: Message.MessageCreateParams,
 *   tools: ReadonlyArray<Tool.Tool<never, unknown>>
 * ) => ToolRunner.finalMessage(messages, params, { tools }).pipe(Effect.map(Message.text))
 * ```
 * @since 0.1.0
 * @category running
 */
export const finalMessage = <E, R, const Tools extends ReadonlyArray<Tool.Any>>(
  messages: Creator<E, R>,
  params: Message.MessageCreateParams,
  options: Options<Tools>
): Effect.Effect<Message.Message, E, R | Tool.Context<Tools[number]>> =>
  // The loop emits at least one message.
  Effect.map(Stream.runLast(run(messages, params, options)), Option.getOrThrow)

/**
 * Like {@link run}, but emits the events of all messages, one message after the other. Read them with
 * `MessageStream.accumulate`, `textDeltas` or `inputDeltas`.
 *
 * @example
 * ```ts
 * import { MessageStream, Tool, ToolRunner } from "@effect-api/anthropic"
 * import { Clock, Console, Schema, Stream } from "effect"
 *
 * const now = Tool.make({
 *   name: "now",
 *   description: "The time, in milliseconds since the epoch.",
 *   input: Schema.Struct({}),
 *   run: () => Clock.currentTimeMillis
 * })
 *
 * const ask = (messages: ToolRunner.Streamer) =>
 *   ToolRunner.stream(
 *     messages,
 *     { model: "claude-sonnet-5-5", max_tokens: 1024, messages: [{ role: "user", content: "What time is it?" }] },
 *     { tools: [now] }
 *   ).pipe(MessageStream.textDeltas, Stream.runForEach((text) => Console.log(text)))
 * ```
 * @since 0.1.0
 * @category running
 */
export const stream = <E, R, const Tools extends ReadonlyArray<Tool.Any>>(
  messages: Streamer<E, R>,
  params: Message.MessageCreateParams,
  { eager = false, ...options }: StreamOptions<Tools>
): Stream.Stream<
  MessageEvent.MessageEvent,
  E | ApiError.StreamProtocolError | ApiError.StreamTruncatedError,
  R | Tool.Context<Tools[number]>
> => {
  const loop = makeLoop(params, options)
  const starts = typeof eager === "function" ? eager : () => eager
  const { concurrency } = loop
  const limited = Effect.map(
    // A limit that is no number would start nothing.
    concurrency === "unbounded"
      ? Effect.succeed(undefined)
      : Effect.makeSemaphore(Math.max(1, concurrency || 1)),
    (semaphore) => semaphore?.withPermits(1) ?? ((handled: Handled<Tools>) => handled)
  )

  /** The events of a turn, whose tools start in a scope if any may. */
  const eventsOf = (request: Message.MessageCreateParams, started: Map<string, Fiber.Fiber<Result>>) => {
    const accumulator = MessageAccumulator.make()
    // After a failure nothing goes on: a tool would start with what came of its input.
    const events = Streams.picked(
      messages.stream(request, loop.callOptions),
      (): Streams.Pick<MessageEvent.MessageEvent, MessageEvent.MessageEvent, ApiError.StreamProtocolError> =>
        (event, passed) => {
          const pushed = accumulator.push(event)
          if (Either.isLeft(pushed)) return pushed.left
          passed.push(event)
          return undefined
        }
    )
    if (eager === false) return { accumulator, events }
    const handle = loop.handler(request.messages)
    const starting = Effect.zipWith(Effect.scope, limited, (scope, limit) =>
      startingTools(events, { accumulator, scope, starts, handle: (call) => limit(handle(call)) }, started)
    )
    return { accumulator, events: starting }
  }

  const turn = (state: State): ReturnType<typeof stream<E, R, Tools>> =>
    Stream.unwrap(
      Effect.map(loop.next(state), (next) => {
        if (next === undefined) return Stream.empty
        const started = new Map<string, Fiber.Fiber<Result>>()
        const { accumulator, events } = eventsOf(next.request, started)
        const rest = Stream.unwrap(
          Effect.map(
            Effect.suspend(() => accumulator.end()),
            (message) => turn(loop.after(state, next, message, started).state)
          )
        )
        // The tools of a turn end with the run at the latest.
        return Effect.isEffect(events)
          ? Stream.unwrapScoped(Effect.map(events, (events) => Stream.concat(events, rest)))
          : Stream.concat(events, rest)
      })
    )
  return Stream.suspend(() => turn(loop.start))
}

type Result = ContentBlockParam.ToolResultBlockParam
type Handled<Tools extends ReadonlyArray<Tool.Any>> = Effect.Effect<
  Result,
  never,
  Tool.Context<Tools[number]>
>
