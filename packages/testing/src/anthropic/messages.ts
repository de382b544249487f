import { Effect, Predicate } from "effect"
import { isReply, json, type Reply } from "../server/Reply.js"
import { isPromiseLike } from "../shared/promised.js"
import { block, type JsonObject } from "./AnthropicBlock.js"
import {
  type Failure,
  type MessageParams,
  type MessageRequest,
  type MessageResponse,
  response,
  type ScriptedResponse,
  type Step
} from "./AnthropicResponse.js"
import { inputTokens, type Rendered, render, toReply } from "./events.js"
import { invalid, jsonBody, notFound } from "./gate.js"
import type { Call, Endpoint } from "./state.js"
import { outputSchema, sampleOf } from "./structured.js"
import { words } from "./text.js"
import { isValid, problem, type Rules, tooManyTokens } from "./validate.js"

const textOf = (block: JsonObject): string => {
  if (block["type"] === "text") return String(block["text"])
  if (block["type"] !== "tool_result") return ""
  const content = block["content"]
  return Array.isArray(content) ? content.map(textOf).join("\n") : String(content ?? "")
}

const lastText = ({ messages }: MessageParams): string => {
  const content = messages.at(-1)?.content ?? ""
  return typeof content === "string" ? content : content.map(textOf).filter(Boolean).join("\n")
}

/**
 * The response without a script: an echo of the request, within its `max_tokens` and `stop_sequences`. With an output format it is
 * JSON that matches the schema, and a request to compact gets a summary.
 */
export const echo = ({ params, text }: MessageRequest): MessageResponse => {
  if (Predicate.isRecord(params["compaction"])) {
    const summary = {
      type: "compaction",
      content: `Summary: ${text}`,
      encrypted_content: null,
      tool_changes: []
    }
    return response(block(summary), { stopReason: "compaction" })
  }
  const schema = outputSchema(params)
  const reply = schema === undefined ? `You said: ${text}` : JSON.stringify(sampleOf(schema, text))
  const stops = (params.stop_sequences ?? [])
    .map((sequence) => ({ sequence, at: reply.indexOf(sequence) }))
    .filter(({ at }) => at >= 0)
    .sort((one, other) => one.at - other.at)
  const stop = stops[0]
  const tokens = words(stop === undefined ? reply : reply.slice(0, stop.at))
  if (tokens.length > params.max_tokens) {
    return response(tokens.slice(0, params.max_tokens).join(""), { stopReason: "max_tokens" })
  }
  return response(tokens.join(""), stop === undefined ? {} : { stopSequence: stop.sequence })
}

const rules = ({ betas, version }: Call, counting: boolean): Rules => ({
  version,
  betas: betas.length > 0,
  counting
})

/** Validates the parameters of a message. */
export const check = (
  call: Call,
  params: JsonObject,
  counting = false
): Effect.Effect<MessageParams, Failure> =>
  Effect.suspend(() => {
    const checked = rules(call, counting)
    if (!isValid(params, checked)) return invalid(problem(params, checked) ?? "Invalid request data")
    const known = call.state.settings.models.find(({ id }) => id === params.model)
    if (known === undefined) return notFound(`model: ${params.model}`)
    const tooMany = counting ? undefined : tooManyTokens(params, known)
    return tooMany === undefined ? Effect.succeed(params) : invalid(tooMany)
  })

const runStep = (step: Step, request: MessageRequest): Effect.Effect<ScriptedResponse | undefined> => {
  if (typeof step !== "function") return Effect.succeed(step)
  return Effect.suspend(() => {
    const result = step(request)
    if (isPromiseLike(result)) return Effect.promise(async () => result)
    return Effect.isEffect(result) ? Effect.orDie(result) : Effect.succeed(result)
  })
}

/** Runs the next step of the script. It gives a message, or a reply that is sent unchanged. */
export const respond = (
  { seen, state }: Call,
  params: MessageParams,
  customId?: string,
  scripted?: Step
): Effect.Effect<Rendered | Reply, Failure> =>
  Effect.gen(function* () {
    const request: MessageRequest = { params, text: lastText(params), customId, seen }
    const step = scripted ?? state.script.shift() ?? state.settings.fallback
    const result = (yield* runStep(step, request)) ?? echo(request)
    if (isReply(result)) return result
    if (typeof result !== "string" && result._tag === "Failure") return yield* Effect.fail(result)
    return render(state, typeof result === "string" ? response(result) : result, params)
  })

export const create: Endpoint = (call) =>
  Effect.gen(function* () {
    const params = yield* check(call, yield* jsonBody(call))
    const result = yield* respond(call, params)
    return isReply(result) ? result : toReply(result, params.stream === true, call.requestId)
  })

export const countTokens: Endpoint = (call) =>
  Effect.gen(function* () {
    const params = yield* check(call, yield* jsonBody(call), true)
    return json({ input_tokens: inputTokens(params) })
  })
