/**
 * Schemas that decode and encode values, and explain a value that does not fit. This module hides the parser, and the
 * tree of issues that it fails with.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import { maxString, shortValue } from "../shared/shortValue.js"
import { clipped } from "../shared/shownText.js"

/** Why a value does not fit, and the path to the part that does not. */
export interface Misfit {
  readonly reason: string
  readonly path: ReadonlyArray<string | number>
}

/** An issue keeps the value that does not fit, for the text: the client removes the secrets of a text. */
export const parseOptions: SchemaAST.ParseOptions = { reportInput: true }

/** Decodes a value: an `Exit`, unless the schema is asynchronous. */
export const decoder = <A, I>(schema: Schema.Codec<A, I>): ((value: unknown) => Effect.Effect<A, Misfit>) => {
  const decode = SchemaParser.decodeUnknownEffect(schema, parseOptions)
  const settled = settling()
  return (value) => Effect.mapErrorEager(settled(decode(value)), misfit)
}

/** Encodes a value: an `Exit`, unless the schema is asynchronous. */
export const encoder = (
  schema: Schema.Codec<unknown, unknown>
): ((value: unknown) => Effect.Effect<unknown, Misfit>) => {
  const encode = SchemaParser.encodeUnknownEffect(schema, parseOptions)
  const settled = settling()
  return (value) => Effect.mapErrorEager(settled(encode(value)), misfit)
}

/** Runs a parser that need not wait, and leaves the others to a fiber: JSON in a text and a default are effects, too. */
const settling = () => {
  let waits = false
  return <A, E>(parsed: Effect.Effect<A, E>): Effect.Effect<A, E> => {
    if (waits || Exit.isExit(parsed)) return parsed
    const context = Fiber.getCurrent()?.context ?? Context.empty()
    const exit = Effect.runSyncExitWith(context)(parsed)
    const begun = begunIn(exit)
    if (begun === undefined) return exit
    waits = true
    begun.interruptUnsafe()
    return parsed
  }
}

/** The fiber that could not end at once. */
const begunIn = (exit: Exit.Exit<unknown, unknown>): Fiber.Fiber<unknown, unknown> | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  const [first] = exit.cause.reasons
  return first?._tag === "Die" && Cause.isAsyncFiberError(first.defect) ? first.defect.fiber : undefined
}

const textOf = /*#__PURE__*/ SchemaIssue.makeFormatterDefault()

const misfit = (issue: SchemaIssue.Issue): Misfit => {
  const bounded = boundedIssue(issue)
  return {
    reason: textOf(bounded),
    path: pathOf(bounded).map((key) => (typeof key === "symbol" ? key.toString() : key))
  }
}

/** The path to the first part that does not fit. A formatter would make a text for each part to find it. */
const pathOf = (issue: SchemaIssue.Issue): ReadonlyArray<PropertyKey> => {
  if (issue._tag === "Pointer") return [...issue.path, ...pathOf(issue.issue)]
  if ("issues" in issue) return issue.issues.slice(0, 1).flatMap(pathOf)
  return "issue" in issue ? pathOf(issue.issue) : []
}

const maxIssues = 50

/** The first issues of a tree, with short values: the formatters print whole values, once for each issue. */
const boundedIssue = (issue: SchemaIssue.Issue): SchemaIssue.Issue => {
  let left = maxIssues
  const copyAll = ([first, ...rest]: readonly [SchemaIssue.Issue, ...Array<SchemaIssue.Issue>]) => {
    const issues: [SchemaIssue.Issue, ...Array<SchemaIssue.Issue>] = [copy(first)]
    for (const inner of rest) if (left > 0) issues.push(copy(inner))
    return issues
  }
  const copy = (issue: SchemaIssue.Issue): SchemaIssue.Issue => {
    left--
    const input = shortValue(issue.input)
    const options = SchemaIssue.hasInput(issue) ? parseOptions : undefined
    switch (issue._tag) {
      case "InvalidType":
        return new SchemaIssue.InvalidType(issue.ast, input, options)
      case "InvalidValue":
        return new SchemaIssue.InvalidValue(shortMessage(issue.annotations), input, options)
      case "Forbidden":
        return new SchemaIssue.Forbidden(shortMessage(issue.annotations), input, options)
      case "UnexpectedKey":
        return new SchemaIssue.UnexpectedKey(issue.ast, input, options)
      case "OneOf":
        return new SchemaIssue.OneOf(issue.ast, issue.successes, input, options)
      case "MissingKey":
        return issue
      case "Pointer":
        return new SchemaIssue.Pointer(issue.path.map(shortKey), copy(issue.issue))
      case "Filter":
        return new SchemaIssue.Filter(issue.filter, copy(issue.issue), input, options)
      case "Encoding":
        return new SchemaIssue.Encoding(issue.ast, copy(issue.issue), input, options)
      case "Composite":
        return new SchemaIssue.Composite(issue.ast, copyAll(issue.issues), input, options)
      case "AnyOf": {
        const [first, ...rest] = issue.issues
        const issues = first === undefined ? [] : copyAll([first, ...rest])
        return new SchemaIssue.AnyOf(issue.ast, issues, input, options)
      }
    }
  }
  return copy(issue)
}

const shortMessage = (annotations: Schema.Annotations.Issue | undefined) =>
  typeof annotations?.message === "string"
    ? { ...annotations, message: clipped(annotations.message, maxString) }
    : annotations

const shortKey = (key: PropertyKey): PropertyKey => (typeof key === "string" ? clipped(key, maxString) : key)

/** The same schema: on Effect 4 a schema holds no parse options. `name` is used if it has none of its own. */
export const withoutOptions = <A, I>(schema: Schema.Codec<A, I>, name: string): Schema.Codec<A, I> =>
  schema.annotate({ identifier: SchemaAST.resolveIdentifier(schema.ast) ?? name })

/** Annotates a schema that returns a value unchanged if it fits another schema: the other schema. */
const given = "~effect-api/client/given"

/** A schema that returns the very value that fits another. A value that does not fit may be completed first. */
export const asGiven = <A, I extends A>(
  schema: Schema.Codec<A, I>,
  fits: (value: unknown) => value is A,
  complete: (value: unknown) => unknown
): Schema.Codec<A> => {
  const parse = SchemaParser.decodeUnknownEffect(schema)
  return Schema.declareConstructor<A>()(
    [],
    () => (value, _, options) => {
      if (fits(value)) return Effect.succeed(value)
      const completed = complete(value)
      // Only the parser explains the failure.
      return fits(completed) ? Effect.succeed(completed) : parse(completed, options)
    },
    { [given]: schema }
  )
}

/** The schema that {@link asGiven} made this one of, if it did. */
export const givenSchema = (ast: SchemaAST.Declaration): Schema.Top | undefined => {
  const schema = ast.annotations?.[given]
  return Schema.isSchema(schema) ? schema : undefined
}
