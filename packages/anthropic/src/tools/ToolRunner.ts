/**
 * The loop of a conversation with tools: asks the model, runs the tools it calls, tells it what they gave, until it is done.
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
import * as Message from "../messages/Message.js"
import * as MessageAccumulator from "../messages/MessageAccumulator.js"
import type * as MessageEvent from "../messages/MessageEvent.js"
import { withFields } from "../shared/withFields.js"
import * as Tool from "./Tool.js"
import { withdrawn } from "./toolChanges.js"

/**
 * What asks the model: the `messages` of a client, or a stand-in of a test.
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
 * What asks the model for a stream.
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
 * How to run, and the options of every single call.
 *
 * - `tools`: those that the model may call. The request's own `tools`, such as the server's, are offered before them.
 * - `maxIterations`: the most calls of the API, at least 1. Without it the model ends the loop; a `tool_choice` that forces a
 *   tool forces it every time, so that only a limit ends that.
 * - `concurrency`: how many tools of one message run at a time: all of them unless set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Tools extends ReadonlyArray<Tool.Any>>
  extends Omit<CallOptions.CallOptions, "idempotencyKey"> {
  /** The tools that the model may call. The request's own `tools`, such as the server's, are offered before them. */
  readonly tools: Tools
  /** The most calls of the API, at least 1. Without it the model ends the loop: a `tool_choice` that forces a tool never does. */
  readonly maxIterations?: number | undefined
  /** How many tools of one message run at a time (all of them). */
  readonly concurrency?: number | "unbounded" | undefined
}

/**
 * A message of the model, and the conversation up to it: what to go on with.
 *
 * @since 0.1.0
 * @category models
 */
export interface Turn {
  readonly message: Message.Message
  readonly messages: ReadonlyArray<Message.MessageParam>
}

/**
 * The messages of the model, each as it comes. The tools of one run when the next is asked for, all at once, and are answered
 * in their order; what goes wrong with them the model is told (see `Tool.answer`). So it is where a tool does not exist, is a
 * member of a toolset (its `toolset_name` says so), or was withdrawn by a `tool_removal` of the conversation.
 *
 * It ends with the message that calls no tool, or with the one that meets `maxIterations`: its `stop_reason` says `tool_use`
 * then, and its tools do not run. A turn that the server has paused (`pause_turn`) is sent back for it to go on. A message that
 * `max_tokens` or a refusal has cut short ends it too, whatever it calls.
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
 * As {@link run}, with the conversation so far at each message.
 *
 * @since 0.1.0
 * @category running
 */
export const turns = <E, R, const Tools extends ReadonlyArray<Tool.Any>>(
  messages: Creator<E, R>,
  params: Message.MessageCreateParams,
  options: Options<Tools>
): Stream.Stream<Turn, E, R | Tool.Context<Tools[number]>> => {
  const loop = makeLoop(params, options)
  return Stream.paginateEffect(loop.start, (state) =>
    Effect.gen(function* () {
      const asked = yield* loop.ask(state)
      const message = yield* messages.create(asked, loop.callOptions)
      const next = loop.after(state, asked, message)
      return [{ message, messages: said(asked.messages, message) }, next] as const
    })
  )
}

/**
 * As {@link run}, to the last message.
 *
 * @since 0.1.0
 * @category running
 */
export const finalMessage = <E, R, const Tools extends ReadonlyArray<Tool.Any>>(
  messages: Creator<E, R>,
  params: Message.MessageCreateParams,
  options: Options<Tools>
): Effect.Effect<Message.Message, E, R | Tool.Context<Tools[number]>> =>
  // There is a message at least.
  Effect.map(Stream.runLast(run(messages, params, options)), Option.getOrThrow)

/**
 * As {@link run}, event by event: those of all messages, one after the other. `MessageStream.accumulate`, `textDeltas` and
 * `inputDeltas` read them, too.
 *
 * @example
 * ```ts
 * import { MessageStream, Tool, ToolRunner } from "@effect-api/anthropic"
 * import { Clock, Console, Effect, Schema, Stream } from "effect"
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
      Effect.map(loop.ask(state), (asked) => {
        const accumulator = MessageAccumulator.make()
        const events = Stream.mapChunks(messages.stream(asked, loop.callOptions), (chunk) => {
          // What is wrong with one of them, the end says.
          for (const event of chunk) accumulator.push(event)
          return chunk
        })
        const rest = Effect.map(Effect.suspend(accumulator.end), (message) =>
          Option.match(loop.after(state, asked, message), { onNone: () => Stream.empty, onSome: turn })
        )
        return Stream.concat(events, Stream.unwrap(rest))
      })
    )
  return Stream.suspend(() => turn(loop.start))
}

/** What to ask next: the conversation so far, and the calls in its last message that wait for an answer. */
interface State {
  readonly params: Message.MessageCreateParams
  readonly calls: ReadonlyArray<ContentBlock.ToolUseBlock>
  readonly made: number
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

  /** A member of a toolset may be called as a tool of the program's is, and is another. */
  const toolOf = ({ name, toolset_name }: ContentBlock.ToolUseBlock, withdrawn: ReadonlySet<unknown>) =>
    (toolset_name ?? "") !== "" || withdrawn.has(name) ? undefined : byName.get(name)

  const answerAll = (
    calls: ReadonlyArray<ContentBlock.ToolUseBlock>,
    messages: ReadonlyArray<Message.MessageParam>
  ) => {
    const gone = withdrawn(messages)
    const answer = (call: ContentBlock.ToolUseBlock) =>
      (toolOf(call, gone)?.answer(call) ??
        Effect.succeed(Tool.failure(call, `There is no tool ${nameOf(call)}`))) as Effect.Effect<
        ContentBlockParam.ToolResultBlockParam,
        never,
        Tool.Context<Tools[number]>
      >
    return Effect.forEach(calls, answer, { concurrency })
  }

  return {
    callOptions,
    start: {
      params: offered.length === 0 ? params : withFields(params, { tools: offered }),
      calls: [],
      made: 0
    } as State,

    /** Runs the tools that wait, and says what to send with their answers. */
    ask: ({ calls, params }: State) =>
      calls.length === 0
        ? Effect.succeed(params)
        : Effect.map(answerAll(calls, params.messages), (content) => ({
            ...params,
            messages: [...params.messages, { role: "user", content }]
          })),

    after: (
      { made }: State,
      asked: Message.MessageCreateParams,
      message: Message.Message
    ): Option.Option<State> => {
      const calls = message.stop_reason === "tool_use" ? Message.toolUses(message) : []
      const paused = isPaused(message) && message.content.length > 0
      if (made + 1 >= maxIterations || (calls.length === 0 && !paused)) return Option.none()
      const next = { ...asked, ...containerOf(asked, message), messages: said(asked.messages, message) }
      return Option.some({ params: next, calls, made: made + 1 })
    }
  }
}

const nameOf = ({ name, toolset_name }: ContentBlock.ToolUseBlock): string =>
  (toolset_name ?? "") === "" ? name : `${name} of the toolset ${toolset_name}`

/** The server stopped in the middle of its turn, and goes on when it gets it back. */
const isPaused = ({ stop_reason }: Message.Message): boolean =>
  stop_reason === "pause_turn" || stop_reason === "compaction"

const said = (
  messages: ReadonlyArray<Message.MessageParam>,
  { content, role }: Message.Message
): ReadonlyArray<Message.MessageParam> => [...messages, { role, content }]

/** Code goes on running where it ran, unless the request says where. */
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
