/** The values of a request that a schema encodes: its body, its path and its query. */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import * as Parsing from "../effect/parsing.js"
import * as Sync from "../effect/sync.js"
import { caught } from "../schema/guarded.js"
import * as SchemaSecrets from "../schema/schemaSecrets.js"
import * as Redaction from "../secrets/Redaction.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import { isPlainObject } from "../shared/isPlainObject.js"
import { memo } from "../shared/memo.js"
import { encodedLate, keepLate } from "./encodedLate.js"
import * as Json from "./json.js"
import type { PathParams } from "./pathTemplate.js"
import type { QueryInput } from "./query.js"

type Encoder = Schema.Schema.AnyNoContext | undefined

const encoderOf = memo(
  new WeakMap<Schema.Schema.AnyNoContext, ReturnType<typeof Parsing.encoder>>(),
  (schema) => Parsing.encoder(schema)
)

const encodedBody = (value: unknown, schema: Encoder): Effect.Effect<unknown, InvalidInput> =>
  schema === undefined
    ? Exit.succeed(value)
    : settled(
        "body",
        Sync.mapError(encoderOf(schema)(value), ({ reason }) => invalid("body", reason))
      )

/** The problem with a value whose own code failed: a getter, a Proxy, a schema. */
export const unreadable = (field: string, cause: unknown): InvalidInput => ({
  ...invalid(field, "could not be read: a getter in it failed, or a schema threw"),
  cause
})

/** A schema that throws while it runs fails like one that throws at once. */
const settled = <A>(
  field: string,
  encoding: Effect.Effect<A, InvalidInput>
): Effect.Effect<A, InvalidInput> => caught(encoding, (cause) => unreadable(field, cause))

/** Encodes a body. `key` finds what a schema encodes asynchronously. */
export const body = (value: unknown, schema: Encoder, key: object): Effect.Effect<unknown, InvalidInput> =>
  keepLate(key, encodedBody(value, schema))

/** The values of a path or a query. Each is checked where it is written. */
export type Values = PathParams & QueryInput

const areValues = (encoded: unknown): encoded is Values => isPlainObject(encoded)

/** Encodes a path or a query, if there is one, and a schema. */
export const values = <A extends object | undefined>(
  field: "path" | "query",
  given: A,
  schema: Encoder
): Effect.Effect<A | Values, InvalidInput> => {
  if (given === undefined || schema === undefined) return Exit.succeed(given)
  const encoding = settled(
    field,
    Sync.mapError(encoderOf(schema)(given), ({ path, reason }) => invalid([field, ...path].join("."), reason))
  )
  return Sync.flatMap(keepLate(given, encoding), (encoded) =>
    areValues(encoded)
      ? Exit.succeed(encoded)
      : Exit.fail(invalid(field, "must be a plain object of names and values"))
  )
}

/**
 * The secrets of a value: every `Redacted` in it and in its encoded form, and every value that the schema marks as one.
 */
export const secretsOf = (value: unknown, schema: Encoder, key: object): ReadonlySet<string> => {
  const found = Redaction.collect(value)
  const encoded = Sync.settled(() => encodedBody(value, schema)) ?? encodedLate(key)
  if (encoded === undefined) return found
  Redaction.collect(encoded, found)
  Redaction.collect(
    Json.revealed(encoded).map((value) => Redacted.make(value)),
    found
  )
  if (schema === undefined) return found
  const json = Json.stringify(encoded, "body")
  const text = json.ok ? json.value : ""
  for (const secret of SchemaSecrets.finderOf(schema)(text, encoded) ?? []) found.add(secret)
  return found
}
