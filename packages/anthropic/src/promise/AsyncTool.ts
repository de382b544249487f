/**
 * Tools that are plain async functions.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type * as Schema from "effect/Schema"
import type * as ContentBlock from "../content/ContentBlock.js"
import * as Tool from "../tools/Tool.js"

/**
 * Makes a tool from an async function: see `Tool.make`. The model gets an error result for what the function throws.
 *
 * @example
 * ```ts
 * import { AnthropicPromise, AsyncTool } from "@effect-api/anthropic"
 * import { Schema } from "effect"
 *
 * const getWeather = AsyncTool.make({
 *   name: "get_weather",
 *   description: "The weather in a city, now.",
 *   input: Schema.Struct({ city: Schema.String }),
 *   run: async ({ city }, { signal }) => (await fetch(`https://weather.example/${city}`, { signal })).text()
 * })
 *
 * const ask = async (anthropic: AnthropicPromise.AnthropicPromise) => {
 *   const messages = anthropic.messages.run(
 *     { model: "claude-sonnet-5-5", max_tokens: 1024, messages: [{ role: "user", content: "Weather in Paris?" }] },
 *     { tools: [getWeather], maxIterations: 10 }
 *   )
 *   for await (const message of messages) console.log(message.stop_reason)
 *   return messages.finalMessage()
 * }
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = <A, I>(
  options: Tool.Settings & {
    /** The name by which the model calls the tool: 1 to 128 letters, digits, `_` and `-`. */
    readonly name: string
    /** What the tool does and when the model should use it. */
    readonly description?: string
    /** Decodes the input. The model gets it as a JSON Schema with its descriptions, and an error result for an invalid input. */
    readonly input: Schema.Schema<A, I>
    /** Runs the tool on a valid input. `signal` aborts when the result is no longer needed. */
    readonly run: (
      input: A,
      context: { readonly call: ContentBlock.ToolUseBlock; readonly signal: AbortSignal }
    ) => unknown
  }
): Tool.Tool<A, unknown> =>
  Tool.make({
    ...options,
    run: (input, call) =>
      Effect.tryPromise({ try: async (signal) => options.run(input, { call, signal }), catch: identity })
  })
