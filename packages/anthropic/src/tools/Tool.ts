/**
 * Tools that a program runs for the model: https://docs.anthropic.com/en/docs/build-with-claude/tool-use
 *
 * @since 0.1.0
 */
import { ApiRequest } from "@effect-api/client"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as ContentBlock from "../content/ContentBlock.js"
import * as ContentBlockParam from "../content/ContentBlockParam.js"
import type * as ToolParam from "../content/ToolParam.js"
import { inputSchema } from "./inputSchema.js"

/**
 * A tool: what the model is told of it, and the effect that runs it. It needs an `R` to run.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tool<in Input, out E = never, out R = never> {
  readonly name: string
  /** What a request offers to the model. */
  readonly param: NamedTool
  /** Runs the tool on an input that fits. */
  readonly run: (input: Input, call: ContentBlock.ToolUseBlock) => Effect.Effect<unknown, E, R>
  /**
   * Answers a call of the model. It cannot fail: an input that does not fit, what `run` fails with, and a result that has no
   * JSON, is told to the model, as an error that it may react to. Of a failure the model sees its `message` alone, or the content of a
   * {@link ToolError}; the whole of it goes to the debug log. Defects and interruption stay what they are.
   */
  readonly answer: (
    call: ContentBlock.ToolUseBlock
  ) => Effect.Effect<ContentBlockParam.ToolResultBlockParam, never, R>
}

/** Any tool. @since 0.1.0 @category models */
export type Any = Tool<never, unknown, unknown>

/** What a tool needs to run. @since 0.1.0 @category models */
export type Context<T extends Any> = T extends Tool<never, unknown, infer R> ? R : never

/** A tool that the model calls by a name, of the program's own making or of the API's. @since 0.1.0 @category models */
export type NamedTool =
  | ToolParam.CustomTool
  | ToolParam.BashTool
  | ToolParam.TextEditorTool
  | ToolParam.MemoryTool

/** What the answer to a call may hold. @since 0.1.0 @category models */
export type Content = NonNullable<ContentBlockParam.ToolResultBlockParam["content"]>

/**
 * A failure that says to the model more than a message: text or blocks, an image of what went wrong among them.
 *
 * @since 0.1.0
 * @category errors
 */
export class ToolError extends Data.TaggedError("ToolError")<{ readonly content: Content }> {}

/**
 * What the model is told of a tool besides its name, description and input; it is sent as it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings
  extends Omit<ToolParam.CustomTool, "type" | "name" | "description" | "input_schema"> {}

/**
 * A tool from the schema of its input: the model is told of it as a JSON Schema, descriptions included, and what it sends is
 * decoded by it.
 *
 * What `run` gives is told to the model: a string and a list of content blocks as they are, nothing as nothing, and all else
 * as JSON. A result that JSON would drop or bend (a bigint, a cycle, a `Map`, a promise) is told as an error that names the
 * place; a `Redacted` in it stays hidden. Throws where the input is no object or has a part without a JSON Schema.
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
export const make = <A, I, RI, E, R>(
  options: Settings & {
    /** What the model calls the tool by. */
    readonly name: string
    /** What the tool does and when to use it, for the model. */
    readonly description?: string
    /** Decodes what the model sends. What does not fit is told to the model as an error. */
    readonly input: Schema.Schema<A, I, RI>
    /** Runs the tool on an input that fits. What it fails with is told to the model. */
    readonly run: (input: A, call: ContentBlock.ToolUseBlock) => Effect.Effect<unknown, E, R>
  }
): Tool<A, E, R | RI> => {
  const { input, run, ...param } = options
  return define({ param: { ...param, input_schema: inputSchema(param.name, input) }, input, run })
}

/**
 * A tool that is described some other way than by its schema: one that the API defines (`bash_20250124`), or whose JSON Schema
 * comes from elsewhere, as from an MCP server. `input` decodes what the model sends.
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
export const define = <A, I, RI, E, R>(options: {
  /** What a request offers to the model. */
  readonly param: NamedTool
  /** Decodes what the model sends. What does not fit is told to the model as an error. */
  readonly input: Schema.Schema<A, I, RI>
  /** Runs the tool on an input that fits. What it fails with is told to the model. */
  readonly run: (input: A, call: ContentBlock.ToolUseBlock) => Effect.Effect<unknown, E, R>
}): Tool<A, E, R | RI> => {
  const { input, param, run } = options
  const { name } = param
  const decode = Schema.decodeUnknown(input, { errors: "all" })
  return {
    name,
    param,
    run,
    answer: (call) =>
      Effect.suspend(() => decode(call.input)).pipe(
        Effect.mapError(({ message }) => misfit(message)),
        // A schema may hold a function that throws.
        Effect.catchAllDefect(() => misfit("its schema failed")),
        Effect.flatMap((decoded) => run(decoded, call)),
        Effect.withSpan(`execute_tool ${name}`, { attributes: attributesOf(call), captureStackTrace: false }),
        Effect.flatMap(contentOf),
        Effect.map((content) => result(call, content)),
        Effect.catchAll((error) =>
          Effect.as(Effect.logDebug(`Tool ${name} failed`, error), failure(call, toldOf(error)))
        )
      )
  }
}

/**
 * The answer to a call that failed: for a loop of your own.
 *
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
  // The API refuses the result of a toolset's call without it.
  ...(typeof call.toolset_name === "string" ? { toolset_name: call.toolset_name } : {}),
  ...(content === undefined ? {} : { content })
})

/** What the model has sent is in the message, and would go back to it whole. */
const longestMisfit = 2048

const misfit = (message: string): ToolError => {
  const shown = message.length > longestMisfit ? `${message.slice(0, longestMisfit)}…` : message
  return new ToolError({ content: `The input does not fit: ${shown.toWellFormed()}` })
}

/** The names of OpenTelemetry's conventions for generative AI. */
const attributesOf = (call: ContentBlock.ToolUseBlock) => ({
  "gen_ai.operation.name": "execute_tool",
  "gen_ai.tool.name": call.name,
  "gen_ai.tool.call.id": call.id
})

const areBlocks = Schema.is(
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

/**
 * What a request can hold, whatever a tool gives: what cannot be sent would end the conversation. Blocks are taken as they are
 * now, and not as the tool may have changed them by the time of the request.
 */
const contentOf = (output: unknown): Either.Either<Content | undefined, ToolError> => {
  if (output === undefined || typeof output === "string") return Either.right(output)
  return Either.mapBoth(ApiRequest.toJson(output, "result", { redacted: "mask" }), {
    onLeft: ({ field, reason }) =>
      new ToolError({ content: `The tool ran, but its result has no JSON: ${field} ${reason}` }),
    onRight: (text) => {
      const blocks: unknown = text.startsWith("[") ? JSON.parse(text) : undefined
      return areBlocks(blocks) ? blocks : text
    }
  })
}

const toldOf = (error: unknown): Content =>
  Either.getOrElse(
    Either.map(contentOf(textOf(error)), (content) => content ?? ""),
    textOf
  )

const textOf = (error: unknown): Content => {
  if (error instanceof ToolError) return error.content
  const texts: ReadonlyArray<unknown> = [
    error,
    Predicate.hasProperty(error, "message") ? error.message : undefined,
    Predicate.hasProperty(error, "_tag") ? error._tag : undefined
  ]
  return texts.filter(Predicate.isString).find((text) => text !== "") ?? "The tool failed"
}
