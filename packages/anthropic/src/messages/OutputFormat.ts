/**
 * Structured output: the JSON Schema that the text of a message must match, and the schema that decodes it.
 * https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
 *
 * @since 3.2.0
 */
import { ApiSchema } from "@effect-api/client"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import { type AnySchema, type Described, describe, isEffectSchema } from "../schemas/describe.js"
import type { FromJsonSchema, JsonSchema } from "../schemas/FromJsonSchema.js"
import { strictSchema } from "../schemas/strictSchema.js"
import type * as Message from "./Message.js"

/**
 * Marks an output format, and holds what decodes the text.
 *
 * @since 3.2.0
 * @category symbols
 */
export const TypeId: unique symbol = /*#__PURE__*/ Symbol.for("@effect-api/anthropic/OutputFormat")

/**
 * The `format` of an `output_config`: what the request sends, and how the text of the response is decoded.
 *
 * @since 3.2.0
 * @category models
 */
export interface OutputFormat<out A> {
  readonly type: "json_schema"
  readonly schema: JsonSchema
  readonly [TypeId]: Described<A, never>["decode"]
}

/**
 * The parameters of a message with a structured output.
 *
 * @since 3.2.0
 * @category models
 */
export interface Params<out A> extends Message.MessageCreateParams {
  readonly output_config: Omit<Message.OutputConfig, "format"> & { readonly format: OutputFormat<A> }
}

/**
 * A message with its output.
 *
 * @since 3.2.0
 * @category models
 */
export interface ParsedMessage<out A> extends Message.Message {
  /** The text of the last text block, decoded. */
  readonly parsed_output: A
}

/**
 * A message has no output that fits its format:
 *
 * - `refusal`: the model refused
 * - `incomplete`: `max_tokens` or the context window cut the output short
 * - `missing`: the message has no text, for example because it calls a tool
 * - `invalid`: the output is not JSON, or does not fit the schema at `path`
 *
 * @since 3.2.0
 * @category errors
 */
export class OutputError extends Data.TaggedError("OutputError")<{
  readonly message: string
  readonly reason: "refusal" | "incomplete" | "missing" | "invalid"
  /** Where the output does not fit. */
  readonly path: ReadonlyArray<string | number>
  /** The whole message, with its usage and its content. */
  readonly response: Message.Message
}> {}

/**
 * The settings of an output format.
 *
 * @since 3.2.0
 * @category models
 */
export interface Options {
  /** The JSON Schema to send, in place of the schema's own. A Standard Schema without one, such as valibot's, needs it. */
  readonly jsonSchema?: JsonSchema | undefined
  /**
   * Whether to change the JSON Schema to the form that the API enforces (`true`): objects without further properties, `anyOf` for
   * `oneOf`, and a description of the keywords that the API does not enforce. `false` sends it unchanged.
   */
  readonly strict?: boolean | undefined
}

/**
 * Makes an output format from an Effect `Schema`, a Standard Schema (zod, valibot, arktype) or a plain JSON Schema. Of a plain JSON
 * Schema the client checks the keywords that give the output its type: see {@link FromJsonSchema}.
 *
 * Throws a `TypeError` if the schema, or a part of it, has no JSON Schema.
 *
 * @example
 * ```ts
 * import { Anthropic, OutputFormat } from "@effect-api/anthropic"
 * import { Effect, Schema } from "effect"
 *
 * const format = OutputFormat.make(Schema.Struct({ city: Schema.String, celsius: Schema.Number }))
 *
 * const program = Effect.gen(function* () {
 *   const { messages } = yield* Anthropic.Anthropic
 *   const { parsed_output } = yield* messages.parse({
 *     model: "claude-sonnet-5-5",
 *     max_tokens: 1024,
 *     messages: [{ role: "user", content: "The warmest capital of Europe, now?" }],
 *     output_config: { format }
 *   })
 *   return parsed_output.celsius
 * })
 * ```
 * @since 3.2.0
 * @category constructors
 */
export function make<A>(schema: ApiSchema.StandardSchema<A>, options?: Options): OutputFormat<A>
export function make<const S extends JsonSchema>(
  schema: S,
  options?: Options
): OutputFormat<FromJsonSchema<S>>
export function make<A, I>(schema: Schema.Schema<A, I>, options?: Options): OutputFormat<A>
export function make<A, I>(
  schema: AnySchema<A, I, never>,
  { jsonSchema, strict = true }: Options = {}
): OutputFormat<A> {
  const described = describe("The output", schema, jsonSchema)
  return {
    type: "json_schema",
    schema: strict ? strictSchema(described.json) : described.json,
    [TypeId]: isEffectSchema(schema) ? ApiSchema.decoder(schema) : described.decode
  }
}

/** Whether a value is an output format. @since 3.2.0 @category guards */
export const isOutputFormat = (u: unknown): u is OutputFormat<unknown> => Predicate.hasProperty(u, TypeId)

/**
 * Decodes the output of a message: of a batch, or of a conversation of your own. `messages.parse` does it for you.
 *
 * @example
 * ```ts
 * import { type Message, OutputFormat } from "@effect-api/anthropic"
 * import { Effect } from "effect"
 * import { z } from "zod"
 *
 * const format = OutputFormat.make(z.object({ celsius: z.number() }))
 *
 * const celsius = (message: Message.Message) =>
 *   OutputFormat.parse(message, format).pipe(
 *     Effect.map(({ parsed_output }) => parsed_output.celsius),
 *     Effect.catchTag("OutputError", ({ reason }) => Effect.log(reason))
 *   )
 * ```
 * @since 3.2.0
 * @category parsing
 */
export const parse = <A>(
  message: Message.Message,
  format: OutputFormat<A>
): Effect.Effect<ParsedMessage<A>, OutputError> =>
  Effect.suspend(() => {
    const { stop_reason: stop } = message
    const fail = (reason: OutputError["reason"], text: string, path: OutputError["path"] = []) =>
      Effect.fail(new OutputError({ message: text, reason, path, response: message }))
    if (stop === "refusal") return fail("refusal", "the model refused to write the output")
    const isCut = stop === "max_tokens" || stop === "model_context_window_exceeded"
    const block = message.content.filter((block) => block.type === "text").at(-1)
    if (block === undefined) {
      return isCut
        ? fail("incomplete", `${stop} ended the message before its output`)
        : fail("missing", `the message has no text: it stopped with ${stop}`)
    }
    const parsed = parseJson(block.text)
    if (typeof parsed === "string") {
      return isCut
        ? fail("incomplete", `${stop} cut the output short`)
        : fail("invalid", `the output is not valid JSON: ${parsed}`)
    }
    return Effect.matchEffect(format[TypeId](parsed.value), {
      onFailure: ({ path, reason }) => fail("invalid", `the output does not fit: ${reason}`, path),
      onSuccess: (parsed_output) => Effect.succeed({ ...message, parsed_output })
    })
  })

/** The value of a JSON text, or why there is none. */
const parseJson = (text: string): { readonly value: unknown } | string => {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return error instanceof Error ? error.message : "it cannot be read"
  }
}
