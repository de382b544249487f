import { Predicate } from "effect"
import type { JsonObject } from "./AnthropicBlock.js"
import type { MessageParams } from "./AnthropicResponse.js"
import { newest } from "./gate.js"
import type { Model } from "./state.js"
import { formatProblems } from "./structured.js"

/** The rules for the parameters. */
export interface Rules {
  readonly version: string
  /** Whether betas are enabled, which add parameters and blocks that are not listed here. */
  readonly betas: boolean
  readonly counting: boolean
}

type Problems = Generator<string, void>

const isObject = (u: unknown): u is JsonObject => Predicate.isRecord(u)

const fields = new Set(
  (
    "model messages max_tokens cache_control container context_management diagnostics inference_geo mcp_servers " +
    "metadata output_config output_format service_tier speed stop_sequences stream system temperature thinking " +
    "tool_choice tools top_k top_p"
  ).split(" ")
)

const blocks = new Set(
  (
    "text image document search_result thinking redacted_thinking tool_use tool_result server_tool_use " +
    "web_search_tool_result web_fetch_tool_result code_execution_tool_result bash_code_execution_tool_result " +
    "text_editor_code_execution_tool_result tool_search_tool_result container_upload"
  ).split(" ")
)

/** Parameters that the newest version of the API removed. */
const sampling = ["temperature", "top_p", "top_k"]

function* integer(name: string, value: unknown, least: number): Problems {
  if (typeof value !== "number" || !Number.isInteger(value)) yield `${name}: Input should be a valid integer`
  else if (value < least) yield `${name}: Input should be greater than or equal to ${least}`
}

function* topLevel(params: JsonObject, { betas, counting, version }: Rules): Problems {
  for (const name of counting ? ["messages", "model"] : ["max_tokens", "messages", "model"]) {
    if (params[name] === undefined) yield `${name}: Field required`
  }
  for (const name of Object.keys(params)) {
    const removed = version === newest && sampling.includes(name)
    if (removed || (!fields.has(name) && !betas) || (counting && name === "max_tokens")) {
      yield `${name}: Extra inputs are not permitted`
    }
  }
  if (typeof params["model"] !== "string") yield "model: Input should be a valid string"
  if (!counting) yield* integer("max_tokens", params["max_tokens"], 1)
  if (typeof (params["stream"] ?? false) !== "boolean") yield "stream: Input should be a valid boolean"
  const { temperature } = params
  if (typeof temperature === "number" && (temperature < 0 || temperature > 1))
    yield "temperature: range: 0..1"
  if (!Array.isArray(params["stop_sequences"] ?? [])) yield "stop_sequences: Input should be a valid array"
}

function* thinking(params: JsonObject): Problems {
  const { max_tokens: maxTokens, thinking } = params
  if (!isObject(thinking) || thinking["type"] !== "enabled") return
  const budget = thinking["budget_tokens"]
  if (budget === undefined) yield "thinking.enabled.budget_tokens: Field required"
  yield* integer("thinking.enabled.budget_tokens", budget, 1024)
  if (typeof maxTokens === "number" && typeof budget === "number" && maxTokens <= budget) {
    yield "`max_tokens` must be greater than `thinking.budget_tokens`"
  }
}

function* tools(params: JsonObject): Problems {
  const { tool_choice: choice, tools = [] } = params
  if (!Array.isArray(tools)) return yield "tools: Input should be a valid array"
  if (choice !== undefined && tools.length === 0) {
    yield "tool_choice may only be specified while providing tools"
  }
  const names = new Set<unknown>()
  for (const [at, tool] of tools.entries()) {
    if (!isObject(tool)) return yield `tools.${at}: Input should be a valid dictionary`
    const { input_schema: schema, name, type = "custom" } = tool
    if (type !== "custom") continue
    if (name === undefined) yield `tools.${at}.custom.name: Field required`
    if (schema === undefined) yield `tools.${at}.custom.input_schema: Field required`
    if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
      yield `tools.${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`
    }
    if (names.has(name)) yield "tools: Tool names must be unique."
    names.add(name)
  }
  if (isObject(choice) && choice["type"] === "tool" && !names.has(choice["name"])) {
    yield `Tool '${choice["name"]}' not found in provided tools`
  }
}

const blocksOf = (message: unknown): ReadonlyArray<JsonObject> => {
  const content = isObject(message) ? message["content"] : undefined
  return Array.isArray(content) ? content.filter(isObject) : []
}

const ids = (message: unknown, type: string, name: string): ReadonlyArray<unknown> =>
  blocksOf(message).flatMap((block) => (block["type"] === type ? [block[name]] : []))

/** The next message must have exactly one result for every tool call. */
function* toolPairs(messages: ReadonlyArray<unknown>): Problems {
  for (const [at, message] of messages.entries()) {
    const called = ids(message, "tool_use", "id")
    const results = ids(messages[at + 1], "tool_result", "tool_use_id")
    const open = called.filter((id) => !results.includes(id))
    // The last message may end with calls, which the model continues.
    if (open.length > 0 && at + 1 < messages.length) {
      yield `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ` +
        `${open.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
    }
    for (const id of results.filter((id) => !called.includes(id))) {
      yield `messages.${at + 1}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. ` +
        "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
    }
  }
}

function* contentBlock(path: string, block: unknown, { betas }: Rules): Problems {
  if (!isObject(block)) return yield `${path}: Input should be a valid dictionary`
  const { text, type } = block
  if (type === undefined) yield `${path}.type: Field required`
  if (!betas && (typeof type !== "string" || !blocks.has(type))) {
    const expected = [...blocks].map((name) => `'${name}'`).join(", ")
    yield `${path}: Input tag '${type}' found using 'type' does not match any of the expected tags: ${expected}`
  }
  if (type !== "text") return
  if (typeof text !== "string") yield `${path}.text.text: Input should be a valid string`
  if (text === "") yield "messages: text content blocks must be non-empty"
}

function* messages(params: JsonObject, rules: Rules): Problems {
  const { messages } = params
  if (!Array.isArray(messages)) return yield "messages: Input should be a valid array"
  if (messages.length === 0) yield "messages: at least one message is required"
  for (const [at, message] of messages.entries()) {
    if (!isObject(message)) return yield `messages.${at}: Input should be a valid dictionary`
    const { content, role } = message
    if (role === undefined) yield `messages.${at}.role: Field required`
    if (content === undefined) yield `messages.${at}.content: Field required`
    if (!["user", "assistant", "system"].includes(String(role))) {
      yield `messages.${at}.role: Input should be 'user', 'assistant' or 'system'`
    }
    if (typeof content !== "string" && !Array.isArray(content)) {
      return yield `messages.${at}.content: Input should be a valid array`
    }
    const last = at === messages.length - 1
    if (content.length === 0 && !(last && role === "assistant")) {
      yield `messages.${at}: all messages must have non-empty content except for the optional final assistant message`
    }
    if (last && role === "assistant" && typeof content === "string" && /\s$/.test(content)) {
      yield "messages: final assistant content cannot end with trailing whitespace"
    }
    if (typeof content === "string") continue
    for (const [index, block] of content.entries()) {
      yield* contentBlock(`messages.${at}.content.${index}`, block, rules)
    }
  }
  yield* toolPairs(messages)
}

function* problems(params: JsonObject, rules: Rules): Problems {
  yield* topLevel(params, rules)
  yield* messages(params, rules)
  yield* tools(params)
  yield* formatProblems(params)
  yield* thinking(params)
}

/** The first problem of the parameters, in the words of the API. */
export const problem = (params: JsonObject, rules: Rules): string | undefined => {
  const { value } = problems(params, rules).next()
  return value ?? undefined
}

export const isValid = (params: JsonObject, rules: Rules): params is MessageParams =>
  problem(params, rules) === undefined

/** The problem of a `max_tokens` above the model's limit. */
export const tooManyTokens = (
  { max_tokens: maxTokens, model }: MessageParams,
  known: Model
): string | undefined =>
  maxTokens > known.max_tokens
    ? `max_tokens: ${maxTokens} > ${known.max_tokens}, which is the maximum allowed number of output tokens for ${model}`
    : undefined
