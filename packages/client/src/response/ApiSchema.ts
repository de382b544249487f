/**
 * Schemas for values: Effect's own, and any that implements Standard Schema.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import * as Parsing from "../effect/parsing.js"
import { type EventDecoder, eventDecoder, Undecodable } from "./schemaDecoder.js"

export {
  type ApiSchema,
  type Decode,
  type DecodeFailure,
  decoder,
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
  type Type
} from "./schemaDecoder.js"

/**
 * A schema that checks a value and returns that very value. Fields that the schema does not know are kept, at every
 * depth, and nothing is copied. For schemas that change nothing.
 *
 * `complete` receives a value that does not fit, and returns one to check instead, with the fields that servers omit
 * filled in. It may depend on which fields exist and on the schema's literals, but not on other values.
 *
 * @example
 * ```ts
 * import { ApiRequest, ApiSchema } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * const Todo = Schema.Struct({ id: Schema.Number, title: Schema.String })
 *
 * // What else the server says of a todo comes along.
 * export const todo = ApiRequest.get("/todos/1", { success: ApiSchema.asSent(Todo) })
 * ```
 * @since 0.1.0
 * @category combinators
 */
export const asSent = <A, I extends A>(
  schema: Schema.Schema<A, I>,
  complete: (value: unknown) => unknown = (value) => value
): Schema.Schema<A> => {
  // Without the options of the outermost schema, which would copy; with its name.
  const inner = Parsing.withoutOptions(schema, "response")
  // Made for the first value: a program loads more schemas than it uses.
  let accept: EventDecoder<A> | undefined
  const fits = (value: unknown): value is A => {
    accept ??= eventDecoder(inner)
    return !(accept.decode(value) instanceof Undecodable)
  }
  return Parsing.asGiven(inner, fits, complete)
}
