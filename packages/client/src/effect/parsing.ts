/**
 * Schemas that decode and encode values, and explain a value that does not fit. This module hides the parser, and the
 * tree of issues that it fails with.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { maxString, shortValue } from "../shared/shortValue.js"
import { clipped } from "../shared/shownText.js"

/** Why a value does not fit, and the path to the part that does not. */
export interface Misfit {
  readonly reason: string
  readonly path: ReadonlyArray<string | number>
}

/** Decodes a value: an `Exit`, unless the schema is asynchronous. */
export const decoder = <A, I>(
  schema: Schema.Schema<A, I>
): ((value: unknown) => Effect.Effect<A, Misfit>) => {
  const decode = ParseResult.decodeUnknown(schema)
  return (value) => settled(decode(value), misfit)
}

/** Encodes a value: an `Exit`, unless the schema is asynchronous. */
export const encoder = (
  schema: Schema.Schema.AnyNoContext
): ((value: unknown) => Effect.Effect<unknown, Misfit>) => {
  const encode = ParseResult.encodeUnknown(schema)
  return (value) => settled(encode(value), misfit)
}

/** A parser of Effect 3 returns an `Either` if it need not wait. */
const settled = <A, E>(
  parsed: Effect.Effect<A, ParseResult.ParseIssue>,
  toError: (issue: ParseResult.ParseIssue) => E
): Effect.Effect<A, E> => {
  if (!isEither(parsed)) return Effect.mapError(parsed, toError)
  return Either.isRight(parsed) ? Exit.succeed(parsed.right) : Exit.fail(toError(parsed.left))
}

const isEither = <A, E>(effect: Effect.Effect<A, E>): effect is Either.Either<A, E> => Either.isEither(effect)

const misfit = (issue: ParseResult.ParseIssue): Misfit => {
  const bounded = boundedIssue(issue)
  return {
    reason: ParseResult.TreeFormatter.formatIssueSync(bounded),
    path: pathOf(bounded).map((key) => (typeof key === "symbol" ? key.toString() : key))
  }
}

/** The path to the first part that does not fit. `ArrayFormatter` would make a text for each part to find it. */
const pathOf = (issue: ParseResult.ParseIssue): ReadonlyArray<PropertyKey> => {
  if (issue._tag === "Pointer") return [issue.path, pathOf(issue.issue)].flat()
  if (issue._tag === "Composite") return [issue.issues].flat().slice(0, 1).flatMap(pathOf)
  return "issue" in issue ? pathOf(issue.issue) : []
}

const maxIssues = 50

/** The first issues of a tree, with short values: the formatters print whole values, once for each issue. */
export const boundedIssue = (issue: ParseResult.ParseIssue): ParseResult.ParseIssue => {
  let left = maxIssues
  const copy = (issue: ParseResult.ParseIssue): ParseResult.ParseIssue => {
    left--
    const actual = shortValue(issue.actual)
    switch (issue._tag) {
      case "Type":
        return new ParseResult.Type(issue.ast, actual, shortMessage(issue.message))
      case "Forbidden":
        return new ParseResult.Forbidden(issue.ast, actual, shortMessage(issue.message))
      case "Unexpected":
        return new ParseResult.Unexpected(actual, shortMessage(issue.message))
      case "Missing":
        return issue
      case "Pointer":
        return new ParseResult.Pointer(shortPath(issue.path), actual, copy(issue.issue))
      case "Refinement":
        return new ParseResult.Refinement(issue.ast, actual, issue.kind, copy(issue.issue))
      case "Transformation":
        return new ParseResult.Transformation(issue.ast, actual, issue.kind, copy(issue.issue))
      case "Composite": {
        const [first, ...rest] = Array.isArray(issue.issues) ? issue.issues : [issue.issues]
        const issues: [ParseResult.ParseIssue, ...Array<ParseResult.ParseIssue>] = [copy(first)]
        for (const inner of rest) if (left > 0) issues.push(copy(inner))
        return new ParseResult.Composite(issue.ast, actual, issues)
      }
    }
  }
  return copy(issue)
}

const shortMessage = (message: string | undefined): string | undefined =>
  message === undefined ? undefined : clipped(message, maxString)

const shortPath = (path: ParseResult.Path): ParseResult.Path => {
  const short = (key: PropertyKey): PropertyKey => (typeof key === "string" ? clipped(key, maxString) : key)
  if (typeof path !== "object") return short(path)
  const [first, ...rest] = path
  return [short(first), ...rest.map(short)]
}

/** The schema without its outermost parse options; `name` is used if it has none of its own. */
export const withoutOptions = <A, I>(schema: Schema.Schema<A, I>, name: string): Schema.Schema<A, I> => {
  const identifier = Option.getOrElse(SchemaAST.getIdentifierAnnotation(schema.ast), () => name)
  return schema.annotations({ parseOptions: {}, identifier })
}

/** Annotates a schema that returns a value unchanged if it fits another schema: the other schema. */
const Given: unique symbol = Symbol.for("@effect-api/client/internal/given")

/** A schema that returns the very value that fits another. A value that does not fit may be completed first. */
export const asGiven = <A, I extends A>(
  schema: Schema.Schema<A, I>,
  fits: (value: unknown) => value is A,
  complete: (value: unknown) => unknown
): Schema.Schema<A> => {
  const check = (value: unknown): Either.Either<A, ParseResult.ParseIssue> => {
    if (fits(value)) return Either.right(value)
    const completed = complete(value)
    // Only the parser explains the failure.
    return fits(completed) ? Either.right(completed) : ParseResult.decodeUnknownEither(schema)(completed)
  }
  return Schema.declare([], { decode: () => check, encode: () => check }, { [Given]: schema })
}

/** The schema that {@link asGiven} made this one of, if it did. */
export const givenSchema = (ast: SchemaAST.Declaration): Schema.Schema.All | undefined => {
  const given = ast.annotations[Given]
  return Schema.isSchema(given) ? given : undefined
}
