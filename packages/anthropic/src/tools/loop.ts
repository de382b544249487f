/** The loop of a conversation with tools: which request comes next, and which tools run before it. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import type * as CallOptions from "../config/CallOptions.js"
import type * as ContentBlock from "../content/ContentBlock.js"
import type * as ContentBlockParam from "../content/ContentBlockParam.js"
import * as Message from "../messages/Message.js"
import { withFields } from "../shared/withFields.js"
import { compactionBeta, compactionRequest, conversationAfter } from "./compaction.js"
import type { Compaction, Options, Turn } from "./RunOptions.js"
import * as Tool from "./Tool.js"
import { type ToolChanges, toolChanges } from "./toolChanges.js"

type Result = ContentBlockParam.ToolResultBlockParam

/** The state between two requests. */
export interface State {
  /** The parameters of the last request, with the response appended to its messages. */
  readonly params: Message.MessageCreateParams
  /** The tool calls of the last message, which have no results yet. */
  readonly calls: ReadonlyArray<ContentBlock.ToolUseBlock>
  /** How many requests were sent, apart from those that compact. */
  readonly requests: number
  /** The last turn, unless it compacted the conversation. */
  readonly turn: Turn | undefined
  /** Whether the server continues the last message. */
  readonly paused: boolean
  /** The calls whose tools have started. */
  readonly started: Started
}

/** The running tools of a message, by the id of the call. */
export type Started = ReadonlyMap<string, Fiber.Fiber<Result>>

/** A request, and the parameters to go on with if it compacts the conversation. */
export interface Next {
  readonly request: Message.MessageCreateParams
  readonly compacted: Message.MessageCreateParams | undefined
}

const none: Started = /*#__PURE__*/ new Map()

export const makeLoop = <const Tools extends ReadonlyArray<Tool.Any>>(
  params: Message.MessageCreateParams,
  options: Options<Tools>
) => {
  const {
    compactWhen,
    concurrency = "unbounded",
    editParams,
    laterTools = [],
    maxIterations = Number.POSITIVE_INFINITY,
    tools,
    ...rest
  } = options
  const callOptions: CallOptions.CallOptions =
    compactWhen === undefined ? rest : { ...rest, betas: [...(rest.betas ?? []), compactionBeta] }
  const byName = new Map<string, Tool.Any>(tools.map((tool) => [tool.name, tool]))
  const offered = [...(params.tools ?? []), ...tools.map((tool) => tool.param)]

  const laterByName = new Map<string, Tool.Any>(laterTools.map((tool) => [tool.name, tool]))

  /** A member of a toolset may have the same name as a tool of the program. */
  const toolOf = ({ name, toolset_name }: ContentBlock.ToolUseBlock, { added, removed }: ToolChanges) => {
    if ((toolset_name ?? "") !== "" || removed.has(name)) return undefined
    return (added.has(name) ? laterByName.get(name) : undefined) ?? byName.get(name)
  }

  const handler = (messages: ReadonlyArray<Message.MessageParam>) => {
    const changes = toolChanges(messages)
    return (call: ContentBlock.ToolUseBlock) =>
      (toolOf(call, changes)?.handle(call) ??
        Effect.succeed(Tool.failure(call, `There is no tool ${nameOf(call)}`))) as Effect.Effect<
        Result,
        never,
        Tool.Context<Tools[number]>
      >
  }

  /** Waits for the tools that have started, and runs the others. */
  const handleAll = ({ calls, params, started }: State) => {
    const handle = handler(params.messages)
    return Effect.forEach(
      calls,
      (call) => {
        const fiber = started.get(call.id)
        return fiber === undefined ? handle(call) : Fiber.join(fiber)
      },
      { concurrency }
    )
  }

  const withResults = (state: State) =>
    state.calls.length === 0
      ? Effect.succeed(state.params)
      : Effect.map(
          handleAll(state),
          (content): Message.MessageCreateParams => ({
            ...state.params,
            messages: [...state.params.messages, { role: "user", content }]
          })
        )

  const edited = (params: Message.MessageCreateParams, { turn }: State) =>
    editParams === undefined || turn === undefined
      ? Effect.succeed(params)
      : Effect.suspend(() => {
          const changed = editParams(params, turn)
          return Effect.map(Effect.isEffect(changed) ? changed : Effect.succeed(changed), checkedParams)
        })

  const compactionOf = ({ paused, turn }: State): Compaction | undefined => {
    const decision = paused || turn === undefined ? undefined : compactWhen?.(turn)
    return decision === true ? { type: "summarize" } : decision === false ? undefined : decision
  }

  const start: State = {
    params: offered.length === 0 ? params : withFields(params, { tools: offered }),
    calls: [],
    requests: 0,
    turn: undefined,
    paused: false,
    started: none
  }

  return {
    callOptions,
    concurrency,
    handler,
    start,

    /** The next request, with the results of the tools of the last message. Nothing, if the model is done. */
    next: (state: State) =>
      Effect.gen(function* () {
        if (state.requests >= Math.max(1, maxIterations)) return undefined
        const isDone = state.turn !== undefined && state.calls.length === 0 && !state.paused
        if (isDone && editParams === undefined) return undefined
        const request = yield* edited(yield* withResults(state), state)
        if (isDone && request.messages.at(-1)?.role === "assistant") return undefined
        const compaction = compactionOf(state)
        const next: Next =
          compaction === undefined
            ? { request, compacted: undefined }
            : { request: compactionRequest(request, compaction), compacted: request }
        return next
      }),

    /** The turn of a message, and the state after it. */
    after: (
      { requests }: State,
      { compacted, request }: Next,
      message: Message.Message,
      started: Started = none
    ): { readonly turn: Turn; readonly state: State } => {
      if (compacted !== undefined) {
        const messages = conversationAfter(compacted.messages, message)
        const state = { ...start, params: { ...compacted, messages }, requests }
        return { turn: { message, messages }, state }
      }
      const calls = message.stop_reason === "tool_use" ? Message.toolUses(message) : []
      const { content, role } = message
      const messages = [...request.messages, { role, content }]
      const turn = { message, messages }
      const params = { ...request, ...containerOf(request, message), messages }
      const paused = isPaused(message) && content.length > 0
      return { turn, state: { params, calls, requests: requests + 1, turn, paused, started } }
    }
  }
}

/** Plain JavaScript may forget to return them. */
const checkedParams = (params: Message.MessageCreateParams): Message.MessageCreateParams => {
  if (Predicate.hasProperty(params, "messages") && Array.isArray(params.messages)) return params
  throw new TypeError("editParams must return the parameters, with their messages")
}

const nameOf = ({ name, toolset_name }: ContentBlock.ToolUseBlock): string =>
  (toolset_name ?? "") === "" ? name : `${name} of the toolset ${toolset_name}`

/** The server stopped in the middle of its turn. It continues when it gets the turn back. */
const isPaused = ({ stop_reason }: Message.Message): boolean =>
  stop_reason === "pause_turn" || stop_reason === "compaction"

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
