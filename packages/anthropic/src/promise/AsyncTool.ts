/**
 * Tools that are plain async functions.
 *
 * @since 0.1.0
 */
import type { ApiSchema } from "@effect-api/client"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type * as Schema from "effect/Schema"
import type * as ContentBlock from "../content/ContentBlock.js"
import type { AnySchema } from "../schemas/describe.js"
import type { FromJsonSchema, JsonSchema } from "../schemas/FromJsonSchema.js"
import * as Tool from "../tools/Tool.js"

/**
 * What a tool gets besides its input.
 *
 * @since 3.2.0
 * @category models
 */
export interface Context {
  /** The call of the model. */
  readonly call: ContentBlock.ToolUseBlock
  /** Aborts when the result is no longer needed. */
  readonly signal: AbortSignal
}

/**
 * A tool to make: its name, its description, its input, and the function that runs it.
 *
 * @since 3.2.0
 * @category models
 */
export interface Options<Input, A> extends Tool.Settings {
  /** The name by which the model calls the tool: 1 to 128 letters, digits, `_` and `-`. */
  readonly name: string
  /** What the tool does and when the model should use it. */
  readonly description?: string
  /** Decodes the input. The model gets it as a JSON Schema with its descriptions, and an error result for an invalid input. */
  readonly input: Input
  /**
   * The JSON Schema that the model gets of the input, in place of the schema's own. A Standard Schema without one, such as
   * valibot's, needs it.
   */
  readonly jsonSchema?: JsonSchema | undefined
  /** Runs the tool on a valid input. */
  readonly run: (input: A, context: Context) => unknown
}

/**
 * Makes a tool from an async function and any schema: a Standard Schema (zod, valibot, arktype), a plain JSON Schema or an Effect
 * `Schema`. The type of the input follows from it. `Tool.make` describes the result that the model gets. For what the function
 * throws it gets an error result.
 *
 * Throws a `TypeError` if the input is not an object or has no JSON Schema.
 *
 * @example
 * ```ts
 * import { type AnthropicPromise, AsyncTool } from "@effect-api/anthropic"
 * import { z } from "zod"
 *
 * const getWeather = AsyncTool.define({
 *   name: "get_weather",
 *   description: "The weather in a city, now.",
 *   input: z.object({ city: z.string().describe("The city and its country") }),
 *   run: async ({ city }, { signal }) => (await fetch(`https://weather.example/${city}`, { signal })).text()
 * })
 *
 * // The type of a plain JSON Schema is inferred, too.
 * const add = AsyncTool.define({
 *   name: "add",
 *   input: {
 *     type: "object",
 *     properties: { a: { type: "number" }, b: { type: "number" } },
 *     required: ["a", "b"]
 *   },
 *   run: async ({ a, b }) => a + b
 * })
 *
 * const ask = (anthropic: AnthropicPromise.AnthropicPromise) =>
 *   anthropic.messages
 *     .run(
 *       { model: "claude-sonnet-5-5", max_tokens: 1024, messages: [{ role: "user", content: "Weather in Paris?" }] },
 *       { tools: [getWeather, add], maxIterations: 10 }
 *     )
 *     .finalMessage()
 * ```
 * @since 3.2.0
 * @category constructors
 */
export function define<A>(options: Options<ApiSchema.StandardSchema<A>, A>): Tool.Tool<A, unknown>
export function define<const Input extends JsonSchema>(
  options: Options<Input, FromJsonSchema<Input>>
): Tool.Tool<FromJsonSchema<Input>, unknown>
export function define<A, I>(options: Options<Schema.Schema<A, I>, A>): Tool.Tool<A, unknown>
export function define<A, I>(options: Options<AnySchema<A, I, never>, A>): Tool.Tool<A, unknown> {
  return Tool.makeAny({
    ...options,
    run: (input, call) =>
      Effect.tryPromise({ try: async (signal) => options.run(input, { call, signal }), catch: identity })
  })
}

/**
 * Makes a tool from an async function and an Effect `Schema`: {@link define} takes any schema.
 *
 * @example
 * ```ts
 * import { AsyncTool } from "@effect-api/anthropic"
 * import { Schema } from "effect"
 *
 * const getWeather = AsyncTool.make({
 *   name: "get_weather",
 *   description: "The weather in a city, now.",
 *   input: Schema.Struct({ city: Schema.String }),
 *   run: async ({ city }, { signal }) => (await fetch(`https://weather.example/${city}`, { signal })).text()
 * })
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = <A, I>(options: Options<Schema.Schema<A, I>, A>): Tool.Tool<A, unknown> => define(options)
