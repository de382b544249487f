/**
 * Runs a conversation with tools: it calls the model, runs the tools that the model calls, and sends the results back, until
 * the model is done.
 *
 * @since 0.1.0
 */
import type { ApiError } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as CallOptions from "../config/CallOptions.js"
import type * as ContentBlock from "../content/ContentBlock.js"
import type * as ContentBlockParam from "../content/ContentBlockParam.js"
import * as Streams from "../effect/streams.js"
import * as Message from "../messages/Message.js"
import * as MessageAccumulator from "../messages/MessageAccumulator.js"
import type * as MessageEvent from "../messages/MessageEvent.js"
import { withFields } from "../shared/withFields.js"
import * as Tool from "./Tool.js"
import { removedTools } from "./toolChanges.js"

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
 * The options of a run. The others are those of every call of the API.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Tools extends ReadonlyArray<Tool.Any>>
  extends Omit<CallOptions.CallOptions, "idempotencyKey"> {
  /** The tools that the model may call. They are offered after the request's own `tools`, such as server tools. */
  readonly tools: Tools
  /**
   * The most calls of the API, at least 1 (no limit). Without a limit the loop ends when the model calls no tool. Set one with a
   * `tool_choice` that forces a tool, as the model then calls a tool every time.
   */
  readonly maxIterations?: number | undefined
  /** How many tools of one message run concurrently (`unbounded`). */
  readonly concurrency?: number | "unbounded" | undefined
}

/**
 * A message from the model, and the conversation up to and including it, from which another run can continue.
 *
 * @since 0.1.0
 * @category models
 */
export interface Turn {
  readonly message: Message.Message
  /** The conversation up to and including the message. */
  readonly messages: ReadonlyArray<Message.MessageParam>
}

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
  return Streams.paginate(loop.start, (state) =>
    Effect.gen(function* () {
      const request = yield* loop.nextRequest(state)
      const message = yield* messages.create(request, loop.callOptions)
      const next = loop.nextState(state, request, message)
      return [{ message, messages: append(request.messages, message) }, next] as const
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
  options: Options<Tools>
): Stream.Stream<
  MessageEvent.MessageEvent,
  E | ApiError.StreamProtocolError | ApiError.StreamTruncatedError,
  R | Tool.Context<Tools[number]>
> => {
  const loop = makeLoop(params, options)
  const turn = (state: State): ReturnType<typeof stream<E, R, Tools>> =>
    Stream.unwrap(
      Effect.map(loop.nextRequest(state), (request) => {
        const accumulator = MessageAccumulator.make()
        const events = Stream.map(messages.stream(request, loop.callOptions), (event) => {
          // `end` reports a failure of `push`.
          accumulator.push(event)
          return event
        })
        const rest = Effect.map(
          Effect.suspend(() => accumulator.end()),
          (message) =>
            Option.match(loop.nextState(state, request, message), {
              onNone: () => Stream.empty,
              onSome: turn
            })
        )
        return Stream.concat(events, Stream.unwrap(rest))
      })
    )
  return Stream.suspend(() => turn(loop.start))
}

/** The state between two requests. */
interface State {
  /** The parameters of the last request, with the response appended to its messages. */
  readonly params: Message.MessageCreateParams
  /** The tool calls of the last message, which have no results yet. */
  readonly calls: ReadonlyArray<ContentBlock.ToolUseBlock>
  /** How many requests were sent. */
  readonly requests: number
}

const makeLoop = <const Tools extends ReadonlyArray<Tool.Any>>(
  params: Message.MessageCreateParams,
  options: Options<Tools>
) => {
  const {
    concurrency = "unbounded",
    maxIterations = Number.POSITIVE_INFINITY,
    tools,
    ...callOptions
  } = options
  const byName = new Map<string, Tool.Any>(tools.map((tool) => [tool.name, tool]))
  const offered = [...(params.tools ?? []), ...tools.map((tool) => tool.param)]

  /** A member of a toolset may have the same name as a tool of the program. */
  const toolOf = ({ name, toolset_name }: ContentBlock.ToolUseBlock, removed: ReadonlySet<unknown>) =>
    (toolset_name ?? "") !== "" || removed.has(name) ? undefined : byName.get(name)

  const handleAll = (
    calls: ReadonlyArray<ContentBlock.ToolUseBlock>,
    messages: ReadonlyArray<Message.MessageParam>
  ) => {
    const removed = removedTools(messages)
    const handle = (call: ContentBlock.ToolUseBlock) =>
      (toolOf(call, removed)?.handle(call) ??
        Effect.succeed(Tool.failure(call, `There is no tool ${nameOf(call)}`))) as Effect.Effect<
        ContentBlockParam.ToolResultBlockParam,
        never,
        Tool.Context<Tools[number]>
      >
    return Effect.forEach(calls, handle, { concurrency })
  }

  const start: State = {
    params: offered.length === 0 ? params : withFields(params, { tools: offered }),
    calls: [],
    requests: 0
  }

  return {
    callOptions,
    start,

    /** Runs the tools of the last message, and adds their results to the next request. */
    nextRequest: ({ calls, params }: State) =>
      calls.length === 0
        ? Effect.succeed(params)
        : Effect.map(handleAll(calls, params.messages), (content) => ({
            ...params,
            messages: [...params.messages, { role: "user", content }]
          })),

    /** The state after a response, or nothing if it was the last one. */
    nextState: (
      { requests }: State,
      request: Message.MessageCreateParams,
      message: Message.Message
    ): Option.Option<State> => {
      const calls = message.stop_reason === "tool_use" ? Message.toolUses(message) : []
      const paused = isPaused(message) && message.content.length > 0
      if (requests + 1 >= maxIterations || (calls.length === 0 && !paused)) return Option.none()
      const next = {
        ...request,
        ...containerOf(request, message),
        messages: append(request.messages, message)
      }
      return Option.some({ params: next, calls, requests: requests + 1 })
    }
  }
}

const nameOf = ({ name, toolset_name }: ContentBlock.ToolUseBlock): string =>
  (toolset_name ?? "") === "" ? name : `${name} of the toolset ${toolset_name}`

/** The server stopped in the middle of its turn. It continues when it gets the turn back. */
const isPaused = ({ stop_reason }: Message.Message): boolean =>
  stop_reason === "pause_turn" || stop_reason === "compaction"

const append = (
  messages: ReadonlyArray<Message.MessageParam>,
  { content, role }: Message.Message
): ReadonlyArray<Message.MessageParam> => [...messages, { role, content }]

/** Reuses the container that code ran in, unless the request names one. */
const containerOf = (
  { container }: Message.MessageCreateParams,
  { container: used }: Message.Message
): Pick<Message.MessageCreateParams, "container"> => {
  if (used === null || used === undefined) return {}
  if (container === null || container === undefined) return { container: used.id }
  return typeof container === "object" && (container.id ?? "") === ""
    ? { container: { ...container, id: used.id } }
    : {}
}
