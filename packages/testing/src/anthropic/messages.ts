import { Effect } from "effect"
import { isReply, json, type Reply } from "../server/Reply.js"
import {
  type Answer,
  answer,
  type Failure,
  type MessageParams,
  type MessageRequest,
  type Said,
  type Step
} from "./AnthropicAnswer.js"
import type { JsonObject } from "./AnthropicBlock.js"
import { inputTokens, type Rendered, render, toReply } from "./events.js"
import { invalid, jsonBody, notFound } from "./gate.js"
import { words } from "./pieces.js"
import type { Call, Endpoint } from "./state.js"
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

/** What a server says that was told nothing else: what it was asked, within the limits it was given. */
export const echo = ({ params, text }: MessageRequest): Answer => {
  const said = `You said: ${text}`
  const stops = (params.stop_sequences ?? [])
    .map((sequence) => ({ sequence, at: said.indexOf(sequence) }))
    .filter(({ at }) => at >= 0)
    .sort((one, other) => one.at - other.at)
  const stop = stops[0]
  const spoken = words(stop === undefined ? said : said.slice(0, stop.at))
  if (spoken.length > params.max_tokens) {
    return answer(spoken.slice(0, params.max_tokens).join(""), { stopReason: "max_tokens" })
  }
  return answer(spoken.join(""), stop === undefined ? {} : { stopSequence: stop.sequence })
}

const rules = ({ betas, version }: Call, counting: boolean): Rules => ({
  version,
  betas: betas.length > 0,
  counting
})

/** Parameters that the API takes, or what it says of them. */
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

const ask = (step: Step, request: MessageRequest): Effect.Effect<Said | undefined> => {
  if (typeof step !== "function") return Effect.succeed(step)
  return Effect.suspend(() => {
    const said = step(request)
    return Effect.isEffect(said) ? Effect.orDie(said) : Effect.succeed(said)
  })
}

/** What the script says to a request: a message, or a reply that stands for itself. */
export const say = (
  { seen, state }: Call,
  params: MessageParams,
  customId?: string,
  scripted?: Step
): Effect.Effect<Rendered | Reply, Failure> =>
  Effect.gen(function* () {
    const request: MessageRequest = { params, text: lastText(params), customId, seen }
    const step = scripted ?? state.script.shift() ?? state.settings.otherwise
    const said = (yield* ask(step, request)) ?? echo(request)
    if (isReply(said)) return said
    if (typeof said !== "string" && said._tag === "Failure") return yield* Effect.fail(said)
    return render(state, typeof said === "string" ? answer(said) : said, params)
  })

export const create: Endpoint = (call) =>
  Effect.gen(function* () {
    const params = yield* check(call, yield* jsonBody(call))
    const said = yield* say(call, params)
    return isReply(said) ? said : toReply(said, params.stream === true, call.requestId)
  })

export const countTokens: Endpoint = (call) =>
  Effect.gen(function* () {
    const params = yield* check(call, yield* jsonBody(call), true)
    return json({ input_tokens: inputTokens(params) })
  })
