/**
 * The tools that a program runs for the model: https://docs.anthropic.com/en/docs/build-with-claude/tool-use
 *
 * @since 0.1.0
 */
import { ApiRequest, type ApiSchema } from "@effect-api/client"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as ContentBlock from "../content/ContentBlock.js"
import * as ContentBlockParam from "../content/ContentBlockParam.js"
import type * as ToolParam from "../content/ToolParam.js"
import type * as Message from "../messages/Message.js"
import { type AnySchema, type Described, describe } from "../schemas/describe.js"
import type { FromJsonSchema, JsonSchema } from "../schemas/FromJsonSchema.js"
import { lazy } from "../shared/lazy.js"

/**
 * @since 3.2.0
 */
export type { FromJsonSchema, JsonSchema } from "../schemas/FromJsonSchema.js"

/**
 * A tool: its description for the model, and the effect that runs it. The effect requires `R`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tool<in Input, out E = never, out R = never> {
  /** The name by which the model calls the tool. */
  readonly name: string
  /** The description that a request sends to the model. */
  readonly param: NamedTool
  /** Runs the tool on a valid input. */
  readonly run: (input: Input, call: ContentBlock.ToolUseBlock) => Effect.Effect<unknown, E, R>
  /**
   * Handles a call of the model. It never fails: the model gets an error result for an invalid input, a failure of `run`, or a
   * result that is not valid JSON. Of a failure the model sees the `message`, or the content of a {@link ToolError}. The debug
   * log shows the whole failure. Defects and interruption propagate.
   */
  readonly handle: (
    call: ContentBlock.ToolUseBlock
  ) => Effect.Effect<ContentBlockParam.ToolResultBlockParam, never, R>
}

/** Any tool. @since 0.1.0 @category models */
export type Any = Tool<never, unknown, unknown>

/** The requirements of a tool. @since 0.1.0 @category models */
export type Context<T extends Any> = T extends Tool<never, unknown, infer R> ? R : never

/** A tool that the model calls by name: a custom one, or one that the API defines. @since 0.1.0 @category models */
export type NamedTool =
  | ToolParam.CustomTool
  | ToolParam.BashTool
  | ToolParam.TextEditorTool
  | ToolParam.MemoryTool

/** The content of a tool result. @since 0.1.0 @category models */
export type Content = NonNullable<ContentBlockParam.ToolResultBlockParam["content"]>

/**
 * A failure with content for the model: text, or blocks such as an image of the problem.
 *
 * @example
 * ```ts
 * import { Tool } from "@effect-api/anthropic"
 * import { Effect, Schema } from "effect"
 *
 * const readFile = Tool.make({
 *   name: "read_file",
 *   input: Schema.Struct({ path: Schema.String }),
 *   run: ({ path }) => Effect.fail(new Tool.ToolError({ content: `${path} is a directory: list it instead` }))
 * })
 * ```
 * @since 0.1.0
 * @category errors
 */
export class ToolError extends Data.TaggedError("ToolError")<{ readonly content: Content }> {}

/**
 * The fields of a tool besides its name, description and input. They are sent unchanged.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings
  extends Omit<ToolParam.CustomTool, "type" | "name" | "description" | "input_schema"> {}

/**
 * A tool to make: its name, its description, its input, and what runs it.
 *
 * @since 3.2.0
 * @category models
 */
export interface MakeOptions<Input, A, E, R> extends Settings {
  /** The name by which the model calls the tool: 1 to 128 letters, digits, `_` and `-`. */
  readonly name: string
  /** What the tool does and when the model should use it. */
  readonly description?: string
  /** Decodes the input that the model sends. The model gets an error result for an invalid input. */
  readonly input: Input
  /**
   * The JSON Schema that the model gets of the input, in place of the schema's own. A Standard Schema without one, such as
   * valibot's, needs it.
   */
  readonly jsonSchema?: JsonSchema | undefined
  /** Runs the tool on a valid input. The model gets an error result for a failure. */
  readonly run: (input: A, call: ContentBlock.ToolUseBlock) => Effect.Effect<unknown, E, R>
}

/**
 * Makes a tool from the schema of its input: an Effect `Schema`, a Standard Schema (zod, valibot, arktype) or a plain JSON Schema.
 * The model gets it as a JSON Schema with its descriptions, and the schema decodes the input that the model sends. Of a plain JSON
 * Schema the client checks the keywords that give the input its type: see {@link FromJsonSchema}.
 *
 * The model gets the result of `run`: a string or a list of content blocks unchanged, `undefined` as no content, and any
 * other value as JSON. If JSON would lose or change a value (a bigint, a cycle, a `Map`, a promise), the model gets an error
 * that names its path. A `Redacted` is masked.
 *
 * Throws a `TypeError` if the input is not an object, and an error if a part of it has no JSON Schema.
 *
 * @example
 * ```ts
 * import { Tool } from "@effect-api/anthropic"
 * import { Effect, Schema } from "effect"
 *
 * const getWeather = Tool.make({
 *   name: "get_weather",
 *   description: "The weather in a city, now.",
 *   input: Schema.Struct({
 *     city: Schema.String.annotations({ description: "The city and its country" }),
 *     unit: Schema.optional(Schema.Literal("celsius", "fahrenheit"))
 *   }),
 *   run: ({ city, unit = "celsius" }) => Effect.succeed({ city, temperature: 21, unit })
 * })
 * ```
 * @since 0.1.0
 * @category constructors
 */
export function make<A, E, R>(options: MakeOptions<ApiSchema.StandardSchema<A>, A, E, R>): Tool<A, E, R>
export function make<const Input extends JsonSchema, E, R>(
  options: MakeOptions<Input, FromJsonSchema<Input>, E, R>
): Tool<FromJsonSchema<Input>, E, R>
export function make<A, I, RI, E, R>(
  options: MakeOptions<Schema.Schema<A, I, RI>, A, E, R>
): Tool<A, E, R | RI>
export function make<A, I, RI, E, R>(options: MakeOptions<AnySchema<A, I, RI>, A, E, R>): Tool<A, E, R | RI> {
  return makeAny(options)
}

/**
 * Makes a tool from a schema of any kind.
 *
 * @internal
 */
export const makeAny = <A, I, RI, E, R>(
  options: MakeOptions<AnySchema<A, I, RI>, A, E, R>
): Tool<A, E, R | RI> => {
  const { input, jsonSchema, run, ...param } = options
  const what = `The input of tool ${param.name}`
  const { decode, json } = describe(what, input, jsonSchema)
  if (json["type"] !== "object") throw new TypeError(`${what} must be an object, such as a Schema.Struct`)
  return handled({ ...param, input_schema: { ...json, type: "object" } }, decode, run)
}

/**
 * A tool to make with a description of its own.
 *
 * @since 3.2.0
 * @category models
 */
export interface DefineOptions<Input, A, E, R> {
  /** The description that a request sends to the model. */
  readonly param: NamedTool
  /** Decodes the input that the model sends. The model gets an error result for an invalid input. */
  readonly input: Input
  /** Runs the tool on a valid input. The model gets an error result for a failure. */
  readonly run: (input: A, call: ContentBlock.ToolUseBlock) => Effect.Effect<unknown, E, R>
}

/**
 * Makes a tool with a description of its own: one that the API defines (`bash_20250124`), or one whose JSON Schema comes from
 * elsewhere, such as an MCP server. `input` decodes the input that the model sends: any schema that {@link make} takes.
 *
 * @example
 * ```ts
 * import { Tool } from "@effect-api/anthropic"
 * import { Effect, Schema } from "effect"
 *
 * const bash = Tool.define({
 *   param: { type: "bash_20250124", name: "bash" },
 *   input: Schema.Struct({ command: Schema.optional(Schema.String), restart: Schema.optional(Schema.Boolean) }),
 *   run: ({ command }) => Effect.succeed(`not run: ${command}`)
 * })
 * ```
 * @since 0.1.0
 * @category constructors
 */
export function define<A, E, R>(options: DefineOptions<ApiSchema.StandardSchema<A>, A, E, R>): Tool<A, E, R>
export function define<const Input extends JsonSchema, E, R>(
  options: DefineOptions<Input, FromJsonSchema<Input>, E, R>
): Tool<FromJsonSchema<Input>, E, R>
export function define<A, I, RI, E, R>(
  options: DefineOptions<Schema.Schema<A, I, RI>, A, E, R>
): Tool<A, E, R | RI>
export function define<A, I, RI, E, R>({
  input,
  param,
  run
}: DefineOptions<AnySchema<A, I, RI>, A, E, R>): Tool<A, E, R | RI> {
  // `param` describes the input.
  return handled(param, describe(`The input of tool ${param.name}`, input, {}).decode, run)
}

const handled = <A, E, R, RI>(
  param: NamedTool,
  decode: Described<A, RI>["decode"],
  run: Tool<A, E, R>["run"]
): Tool<A, E, R | RI> => ({
  name: param.name,
  param,
  run,
  handle: (call) =>
    Effect.suspend(() => decode(call.input)).pipe(
      Effect.mapError(({ reason }) => invalidInput(reason)),
      // A function in the schema may throw.
      Effect.catchAllDefect(() => invalidInput("its schema failed")),
      Effect.flatMap((decoded) => run(decoded, call)),
      Effect.withSpan(`execute_tool ${param.name}`, {
        attributes: attributesOf(call),
        captureStackTrace: false
      }),
      Effect.flatMap(contentOf),
      Effect.map((content) => result(call, content)),
      Effect.catchAll((error) =>
        Effect.zipRight(
          Effect.logDebug(`Tool ${param.name} failed`, error),
          Effect.map(contentOfError(error), (content) => failure(call, content))
        )
      )
    )
})

/**
 * Makes a turn that offers more tools to the model from here on. Needs the beta `inline-tools-2026-09-15`. A run also runs them if
 * they are in its `laterTools`.
 *
 * @example
 * ```ts
 * import { type AnthropicPromise, AsyncTool, Tool } from "@effect-api/anthropic"
 * import { z } from "zod"
 *
 * const query = AsyncTool.define({ name: "query", input: z.object({ sql: z.string() }), run: ({ sql }) => `ran ${sql}` })
 *
 * const ask = async (anthropic: AnthropicPromise.AnthropicPromise, question: string) => {
 *   const run = anthropic.messages.run(
 *     { model: "claude-sonnet-5-5", max_tokens: 1024, messages: [{ role: "user", content: question }] },
 *     { tools: [], laterTools: [query], betas: ["inline-tools-2026-09-15"] }
 *   )
 *   for await (const { stop_reason } of run) {
 *     if (stop_reason === "tool_use") run.pushMessages(Tool.addition(query))
 *   }
 * }
 * ```
 * @since 3.2.0
 * @category constructors
 */
export const addition = (...tools: ReadonlyArray<Pick<Any, "param">>): Message.MessageParam => ({
  role: "system",
  content: tools.map(({ param: definition }) =>
    ContentBlockParam.untyped({ type: "tool_addition", tool: { type: "tool_definition", definition } })
  )
})

/**
 * Makes a turn that takes tools away from the model from here on. Needs the beta `inline-tools-2026-09-15`. A run no longer runs
 * them.
 *
 * @since 3.2.0
 * @category constructors
 */
export const removal = (...tools: ReadonlyArray<Pick<Any, "name"> | string>): Message.MessageParam => ({
  role: "system",
  content: tools.map((tool) =>
    ContentBlockParam.untyped({
      type: "tool_removal",
      tool: { type: "tool_reference", name: typeof tool === "string" ? tool : tool.name }
    })
  )
})

/**
 * Makes the error result of a tool call, for your own loop.
 *
 * @example
 * ```ts
 * import { type ContentBlock, Tool } from "@effect-api/anthropic"
 *
 * const denied = (call: ContentBlock.ToolUseBlock) => Tool.failure(call, "The user denied this call")
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const failure = (
  call: ContentBlock.ToolUseBlock,
  content: Content
): ContentBlockParam.ToolResultBlockParam => ({ ...result(call, content), is_error: true })

const result = (
  call: ContentBlock.ToolUseBlock,
  content: Content | undefined
): ContentBlockParam.ToolResultBlockParam => ({
  type: "tool_result",
  tool_use_id: call.id,
  // The API rejects the result of a toolset's call without this field.
  ...(typeof call.toolset_name === "string" ? { toolset_name: call.toolset_name } : {}),
  ...(content === undefined ? {} : { content })
})

/** The message quotes the input of the model, which may be long. */
const maxErrorLength = 2048

const invalidInput = (message: string): ToolError => {
  const shown = message.length > maxErrorLength ? `${message.slice(0, maxErrorLength)}…` : message
  return new ToolError({ content: `The input is invalid: ${shown.toWellFormed()}` })
}

/** The attributes of OpenTelemetry's conventions for generative AI. */
const attributesOf = (call: ContentBlock.ToolUseBlock) => ({
  "gen_ai.operation.name": "execute_tool",
  "gen_ai.tool.name": call.name,
  "gen_ai.tool.call.id": call.id
})

const isBlocks = lazy(() =>
  Schema.is(
    Schema.NonEmptyArray(
      Schema.Union(
        ContentBlockParam.TextBlockParam,
        ContentBlockParam.ImageBlockParam,
        ContentBlockParam.DocumentBlockParam,
        ContentBlockParam.SearchResultBlockParam,
        ContentBlockParam.ToolReferenceBlockParam
      )
    )
  )
)

/**
 * Converts the result of a tool to content that a request can hold: anything else would end the conversation. Blocks are
 * copied now, as the tool may change them before the request is sent.
 */
const contentOf = (output: unknown): Effect.Effect<Content | undefined, ToolError> => {
  if (output === undefined || typeof output === "string") return Effect.succeed(output)
  return Effect.mapBoth(ApiRequest.toJson(output, "result", { redacted: "mask" }), {
    onFailure: ({ field, reason }) =>
      new ToolError({ content: `The tool ran, but its result is not valid JSON: ${field} ${reason}` }),
    onSuccess: (text) => {
      const blocks: unknown = text.startsWith("[") ? JSON.parse(text) : undefined
      return isBlocks()(blocks) ? blocks : text
    }
  })
}

const contentOfError = (error: unknown): Effect.Effect<Content> =>
  Effect.match(contentOf(textOf(error)), { onFailure: textOf, onSuccess: (content) => content ?? "" })

const textOf = (error: unknown): Content => {
  if (error instanceof ToolError) return error.content
  const texts: ReadonlyArray<unknown> = [
    error,
    Predicate.hasProperty(error, "message") ? error.message : undefined,
    Predicate.hasProperty(error, "_tag") ? error._tag : undefined
  ]
  return texts.filter(Predicate.isString).find((text) => text !== "") ?? "The tool failed"
}
