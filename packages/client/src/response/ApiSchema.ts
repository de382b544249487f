/**
 * Schemas for values: Effect's own, and any that speaks Standard Schema.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import * as Parsing from "../effect/parsing.js"
import { Same } from "../schema/fastDecode.js"
import { eventDecoder, Undecodable } from "./schemaDecoder.js"

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
 * A schema that checks a value and gives that very value: nothing of it is lost that the schema does not know, and nothing is
 * copied, which is three times as fast as `onExcessProperty: "preserve"`. For schemas that change nothing.
 *
 * `complete` gets a value that does not fit and gives one that is checked in its place, with what servers leave out filled in.
 * Which fields there are may decide, and what the schema has as literals, and nothing else of what stands in them.
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
  // Without the option of the outermost schema, which would copy; with its name.
  const inner = Parsing.withoutOptions(schema, "answer")
  const accept = eventDecoder(inner)
  const fits = (value: unknown): value is A => !(accept.decode(value) instanceof Undecodable)
  return Parsing.asGiven(inner, fits, complete, Same)
}
