// What the rules make of code for Effect 3: tables of a text and its translation.
import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { examplesIn, withExamples } from "./examples.mjs"
import { root } from "./places.mjs"
import { printFile } from "./print.mjs"
import { makeProgram } from "./program.mjs"
import { translateComments, translateMarkdown } from "./words.mjs"

/** Imports are written as `Effect Layer | HttpClient`: what is left of the bar comes from "effect", the rest from the platform. */
const importing = (names) => {
  const [ours = [], platform = []] = names.split("|").map((part) => part.trim().split(" ").filter(Boolean))
  return [
    ours.length > 0 && `import { ${ours.join(", ")} } from "effect"`,
    platform.length > 0 && `import { ${platform.join(", ")} } from "@effect/platform"`
  ]
    .filter(Boolean)
    .join("\n")
}

const cases = [
  // what has another name
  [
    "a member",
    "Effect",
    "export const a = Effect.zipRight(Effect.void, Effect.succeed(1))",
    "export const a = Effect.andThen(Effect.void, Effect.succeed(1))"
  ],
  ["a member without a call", "Effect", "export const a = Effect.catchAll", "export const a = Effect.catch"],
  [
    "what a class implements",
    "Pipeable",
    "export declare class A implements Pipeable.Pipeable { pipe: Pipeable.Pipeable['pipe'] }",
    "export declare class A implements Pipeable.Pipeable { pipe: Pipeable.Pipeable['pipe'] }"
  ],
  [
    "a module",
    "Either",
    "export const a = Either.mapLeft(Either.right(1), String)",
    "export const a = Result.mapError(Result.succeed(1), String)"
  ],
  [
    "a type",
    "Duration Either",
    "export type A = Either.Either<Duration.DurationInput, string>",
    "export type A = Result.Result<Duration.Input, string>"
  ],
  ["a member that moved", "Effect", "export const a = Effect.makeLatch", "export const a = Latch.make"],
  [
    "a reference",
    "Effect",
    "export const a = Effect.map(Effect.clock, (clock) => clock.unsafeCurrentTimeMillis())",
    "export const a = Effect.map(Clock.Clock, (clock) => clock.currentTimeMillisUnsafe())"
  ],
  [
    "a workflow",
    "",
    'import { Workflow } from "@effect/workflow"\n' +
      'export const a = Workflow.make({ name: "A", payload: {}, idempotencyKey: () => "" })',
    'export const a = Workflow.make("A", { payload: {}, idempotencyKey: () => "" })'
  ],
  ["a level", "LogLevel", "export const a = LogLevel.Warning", 'export const a = "Warn"'],
  [
    "the platform",
    "| HttpClient",
    "export type A = HttpClient.HttpClient",
    "export type A = HttpClient.HttpClient"
  ],
  [
    "a name that a file gives to something else",
    "Either",
    "type Result = 1\nexport const a: Result = 1\nexport const b = Either.right(a)",
    "type Result = 1\nexport const a: Result = 1\nexport const b = EffectResult.succeed(a)"
  ],
  [
    "a shadowed module",
    "Effect",
    "export const a = (Effect: { fork: number }) => Effect.fork\nexport const b = Effect.void",
    "export const a = (Effect: { fork: number }) => Effect.fork\nexport const b = Effect.void"
  ],

  // values that were Effects
  [
    "an Either that is yielded",
    "Effect Either",
    "export const a = (e: Either.Either<1, 2>) => Effect.gen(function* () { return yield* e })",
    "export const a = (e: Result.Result<1, 2>) => Effect.gen(function* () { return yield* Effect.fromResult(e) })"
  ],
  [
    "an Either in its own generator",
    "Either",
    "export const a = (e: Either.Either<1, 2>) => Either.gen(function* () { return yield* e })",
    "export const a = (e: Result.Result<1, 2>) => Result.gen(function* () { return yield* e })"
  ],
  [
    "an Either where an Effect is expected",
    "Effect Either",
    "export const a: Effect.Effect<number> = Either.right(1)",
    "export const a: Effect.Effect<number> = Effect.fromResult(Result.succeed(1))"
  ],
  [
    "one of two that is an Either",
    "Effect Either",
    "export const a = (b: boolean): Effect.Effect<number> => b ? Either.right(1) : Effect.succeed(2)",
    "export const a = (b: boolean): Effect.Effect<number> => b ? Effect.fromResult(Result.succeed(1)) : Effect.succeed(2)"
  ],
  [
    "a fiber",
    "Effect Fiber",
    "export const a = (f: Fiber.RuntimeFiber<1>) => Effect.gen(function* () { return yield* f })",
    "export const a = (f: Fiber.Fiber<1>) => Effect.gen(function* () { return yield* Fiber.join(f) })"
  ],
  [
    "a deferred value",
    "Deferred Effect",
    "export const a = (d: Deferred.Deferred<1>) => Effect.gen(function* () { return yield* d })",
    "export const a = (d: Deferred.Deferred<1>) => Effect.gen(function* () { return yield* Deferred.await(d) })"
  ],
  [
    "an option",
    "Effect Option",
    "export const a = (o: Option.Option<1>) => Effect.gen(function* () { return yield* o })",
    "export const a = (o: Option.Option<1>) => Effect.gen(function* () { return yield* Effect.fromOption(o) })"
  ],

  // fields, tags and handlers
  [
    "the fields of an Either",
    "Either",
    "export const a = (e: Either.Either<1, 2>) => (Either.isLeft(e) ? e.left : e.right)",
    "export const a = (e: Result.Result<1, 2>) => (Result.isFailure(e) ? e.failure : e.success)"
  ],
  [
    "fields of that name of something else",
    "",
    "export const a = (e: { left: 1 }) => e.left",
    "export const a = (e: { left: 1 }) => e.left"
  ],
  [
    "the tags of an Either",
    "Either",
    'export const a = (e: Either.Either<1, 2>) => e._tag === "Left"',
    'export const a = (e: Result.Result<1, 2>) => e._tag === "Failure"'
  ],
  [
    "an Either as it is spelled",
    "",
    'export const a = { _tag: "Left", left: 1 }',
    'export const a = { _tag: "Failure", failure: 1 }'
  ],
  ["the tag of a misfit", "", 'export const a = "ParseError"', 'export const a = "SchemaError"'],
  [
    "handlers",
    "Either",
    "export const a = Either.match({ onLeft: String, onRight: String })",
    "export const a = Result.match({ onFailure: String, onSuccess: String })"
  ],

  // shapes
  [
    "a limit",
    "Effect",
    'export const a = Effect.never.pipe(Effect.timeoutFail({ duration: "1 second", onTimeout: () => 1 }))',
    'export const a = Effect.never.pipe(Effect.timeoutOrElse({ duration: "1 second", orElse: () => Effect.fail(1) }))'
  ],
  [
    "an effect of an Either, flattened",
    "Effect Either",
    "export const a = (e: Effect.Effect<Either.Either<1, 2>>) => Effect.flatten(e)",
    "export const a = (e: Effect.Effect<Result.Result<1, 2>>) => Effect.flatMap(e, Effect.fromResult)"
  ],
  [
    "a promise of no fiber",
    "Deferred FiberId",
    "export const a = Deferred.unsafeMake<1>(FiberId.none)",
    "export const a = Deferred.makeUnsafe<1>()"
  ],
  [
    "an interruption without waiting",
    "Fiber FiberId",
    "export const a = (f: Fiber.RuntimeFiber<1>) => f.unsafeInterruptAsFork(FiberId.none)",
    "export const a = (f: Fiber.Fiber<1>) => f.interruptUnsafe()"
  ],
  [
    "a schedule that is watched",
    "Effect Schedule",
    "export const a = Schedule.tapOutput(Schedule.forever, (n) => Effect.log(n))",
    "export const a = Schedule.tap(Schedule.forever, ({ output: n }) => Effect.log(n))"
  ],
  [
    "what a test expects of an Either",
    "Either",
    "declare const expect: (e: unknown) => { toEqual: (o: object) => void }\nexport const a = (e: Either.Either<1, 2>) => expect(e).toEqual({ left: 2 })",
    "declare const expect: (e: unknown) => { toEqual: (o: object) => void }\nexport const a = (e: Result.Result<1, 2>) => expect(e).toEqual({ failure: 2 })"
  ],
  [
    "what a test expects of something else",
    "",
    "declare const expect: (e: unknown) => { toEqual: (o: object) => void }\nexport const a = (e: { left: 2 }) => expect(e).toEqual({ left: 2 })",
    "declare const expect: (e: unknown) => { toEqual: (o: object) => void }\nexport const a = (e: { left: 2 }) => expect(e).toEqual({ left: 2 })"
  ],
  [
    "a service",
    "Context",
    'export class A extends Context.Tag("A")<A, string>() {}',
    'export class A extends Context.Service<A, string>()("A") {}'
  ],
  [
    "a fold",
    "Stream",
    "export const a = Stream.runFold(Stream.make(1), 0, (n, m) => n + m)",
    "export const a = Stream.runFold(Stream.make(1), () => 0, (n, m) => n + m)"
  ],
  [
    "values as an array",
    "Chunk Effect Stream",
    "export const a = Effect.map(Stream.runCollect(Stream.make(1)), Chunk.toReadonlyArray)",
    "export const a = Stream.runCollect(Stream.make(1))"
  ],
  [
    "the same in a pipe",
    "Chunk Effect Stream",
    "export const a = Stream.make(1).pipe(Stream.runCollect, Effect.map(Chunk.toReadonlyArray))",
    "export const a = Stream.make(1).pipe(Stream.runCollect)"
  ],
  [
    "an error of the platform",
    "| HttpClientError HttpClientRequest",
    'export const a = (request: HttpClientRequest.HttpClientRequest) => new HttpClientError.RequestError({ request, reason: "Transport", cause: 1 })',
    "export const a = (request: HttpClientRequest.HttpClientRequest) => new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause: 1 }) })"
  ],

  [
    "keys to leave out",
    "Struct",
    'export const a = Struct.omit({ a: 1, b: 2 }, "a")',
    'export const a = Struct.omit({ a: 1, b: 2 }, ["a"])'
  ],
  [
    "a span without a stack",
    "Effect",
    'export const a = Effect.void.pipe(Effect.withSpan("a", { attributes: {}, captureStackTrace: false }))',
    'export const a = Effect.void.pipe(Effect.withSpan("a", { attributes: {} }, { captureStackTrace: false }))'
  ],
  [
    "encodings",
    "Encoding",
    'export const a = Encoding.encodeBase64("a")',
    'export const a = Base64.encode("a")'
  ],

  // schemas
  [
    "unions",
    "Schema",
    "export const a = Schema.Union(Schema.String, Schema.Null)",
    "export const a = Schema.Union([Schema.String, Schema.Null])"
  ],
  ["one literal", "Schema", 'export const a = Schema.Literal("a")', 'export const a = Schema.Literal("a")'],
  [
    "literals",
    "Schema",
    'export const a = Schema.Literal("a", "b")',
    'export const a = Schema.Literals(["a", "b"])'
  ],
  ["null", "Schema", "export const a = Schema.Literal(null)", "export const a = Schema.Null"],
  [
    "records",
    "Schema",
    "export const a = Schema.Record({ key: Schema.String, value: Schema.Number })",
    "export const a = Schema.Record(Schema.String, Schema.Number)"
  ],
  [
    "fields that may be missing",
    "Schema",
    "export const a = Schema.optionalWith(Schema.String, { exact: true })",
    "export const a = Schema.optionalKey(Schema.String)"
  ],
  [
    "annotations",
    "Schema",
    'export const a = Schema.String.annotations({ identifier: "A" })',
    'export const a = Schema.String.annotate({ identifier: "A" })'
  ],
  [
    "annotations of something else",
    "",
    "export const a = (of: { annotations: 1 }) => of.annotations",
    "export const a = (of: { annotations: 1 }) => of.annotations"
  ],
  ["dates from strings", "Schema", "export const a = Schema.Date", "export const a = Schema.DateFromString"],
  ["dates as they are", "Schema", "export const a = Schema.DateFromSelf", "export const a = Schema.Date"],
  [
    "big integers as they are",
    "Schema",
    "export const a = Schema.BigIntFromSelf",
    "export const a = Schema.BigInt"
  ],
  [
    "secrets from strings",
    "Schema",
    "export const a = Schema.Redacted(Schema.String)",
    "export const a = Schema.RedactedFromValue(Schema.String)"
  ],
  [
    "secrets as they are",
    "Schema",
    "export const a = Schema.RedactedFromSelf(Schema.String)",
    "export const a = Schema.Redacted(Schema.String)"
  ],
  [
    "schemas of two sides",
    "Schema",
    "export type A = Schema.Schema<1, 2>",
    "export type A = Schema.Codec<1, 2>"
  ],

  // schedules, whose functions take one record
  [
    "a schedule up to a time",
    "Schedule",
    'export const a = Schedule.forever.pipe(Schedule.upTo("1 minute"))',
    'export const a = Schedule.forever.pipe(Schedule.upTo({ duration: "1 minute" }))'
  ],
  [
    "a changed delay",
    "Duration Schedule",
    "export const a = Schedule.modifyDelay(Schedule.forever, (_, delay) => Duration.times(delay, 2))",
    "export const a = Schedule.modifyDelay(Schedule.forever, ({ duration: delay }) => Effect.succeed(Duration.times(delay, 2)))"
  ],
  [
    "a schedule while its input passes",
    "Schedule",
    "export const a = Schedule.whileInput(Schedule.forever, (at: Date) => at.getTime() > 0)",
    "export const a = Schedule.while(Schedule.forever, ({ input: at }: Schedule.Metadata<unknown, Date>) => at.getTime() > 0)"
  ],
  [
    "a schedule that never recurs",
    "Schedule",
    "export const a = Schedule.stop",
    "export const a = Schedule.recurs(0)"
  ],

  // what has lost a part
  [
    "the type of an effect's value",
    "Effect",
    "declare const a: Effect.Effect<1>\nexport type A = Effect.Effect.Success<typeof a>",
    "declare const a: Effect.Effect<1>\nexport type A = Effect.Success<typeof a>"
  ],
  [
    "an interruption",
    "Exit FiberId",
    "export const a = Exit.interrupt(FiberId.none)",
    "export const a = Exit.interrupt()"
  ],
  [
    "a printed cause",
    "Cause",
    "export const a = Cause.pretty(Cause.fail(1), { renderErrorCause: true })",
    "export const a = Cause.pretty(Cause.fail(1))"
  ],
  [
    "propagation of spans",
    "| HttpClient",
    "declare const a: HttpClient.HttpClient\nexport const b = HttpClient.withTracerPropagation(a, false)",
    "declare const a: HttpClient.HttpClient\nexport const b = HttpClient.transformResponse(a, Effect.provideService(HttpClient.TracerPropagationEnabled, false))"
  ],

  // comments and what is not Effect stay
  [
    "comments",
    "Effect",
    "/** before */\nexport const a = /* within */ Effect.fork(\n  // of the argument\n  Effect.void\n)",
    "/** before */\nexport const a = /* within */ Effect.forkChild(\n  // of the argument\n  Effect.void\n)"
  ]
]

const refusals = [
  ["a test for an Either", "Either", "export const a = (u: unknown) => Either.isEither(u)", /run time/],
  [
    "sides that are swapped",
    "Cause",
    "export const a = (c: Cause.Cause<1>) => Cause.failureOrCause(c)",
    /swapped/
  ],
  [
    "a reason that no rule can read",
    "| HttpClientError HttpClientRequest",
    'export const a = (request: HttpClientRequest.HttpClientRequest, reason: "Transport") => new HttpClientError.RequestError({ request, reason })',
    /reason/
  ]
]

/** Beside code for Effect 3, which is what these import. */
const at = (index) => join(root, "packages/client", `case-${index}.ts`)
const textOf = ([, names, code]) => `${importing(names)}\n${code}\n`
const program = makeProgram(
  [],
  [],
  new Map([...cases, ...refusals].map((of, index) => [at(index), textOf(of)]))
)
const checker = program.getTypeChecker()

const translated = (index) => {
  const refused = []
  const text = printFile(program.getSourceFile(at(index)), checker, refused)
  const body = text.split("\n").filter((line) => !line.startsWith("import "))
  return { text, refused, body: body.join("\n").trim() }
}

for (const [index, [title, , , expected]] of cases.entries())
  test(title, () => {
    const { body, refused } = translated(index)
    assert.deepEqual(refused, [])
    assert.equal(body, expected)
  })

for (const [index, [title, , , why]] of refusals.entries())
  test(`refuses ${title}`, () => {
    const { refused } = translated(cases.length + index)
    assert.equal(refused.length, 1)
    assert.match(refused[0], why)
  })

test("every case is code of Effect 3 that compiles", () => {
  const problems = [...cases, ...refusals].flatMap(([title], index) =>
    program
      .getSemanticDiagnostics(program.getSourceFile(at(index)))
      .map(({ messageText }) => `${title}: ${JSON.stringify(messageText)}`)
  )
  assert.deepEqual(problems, [])
})

test("imports what is used, by value or by type", () => {
  const importsAt = (title) =>
    translated(cases.findIndex(([of]) => of === title))
      .text.split("\n")
      .filter((line) => line.startsWith("import "))
  assert.deepEqual(importsAt("a type"), ['import type { Duration, Result } from "effect"'])
  assert.deepEqual(importsAt("what a class implements"), ['import type { Pipeable } from "effect"'])
  assert.deepEqual(importsAt("the platform"), ['import type { HttpClient } from "effect/http"'])
  assert.deepEqual(importsAt("a reference"), ['import { Clock, Effect } from "effect"'])
  assert.deepEqual(importsAt("a name that a file gives to something else"), [
    'import { Result as EffectResult } from "effect"'
  ])
  assert.deepEqual(importsAt("a workflow"), ['import { Workflow } from "effect/workflow"'])
  assert.deepEqual(importsAt("values as an array"), ['import { Stream } from "effect"'])
})

test("examples go back to where they stood", () => {
  const text = "/**\n * Words.\n *\n * ```ts\n * a\n *\n * b\n * ```\n */\n"
  assert.deepEqual(examplesIn(text), ["a\n\nb"])
  assert.equal(
    withExamples(text, ["c\n\n\nd\n"]),
    "/**\n * Words.\n *\n * ```ts\n * c\n *\n *\n * d\n * ```\n */\n"
  )
  assert.throws(() => withExamples(text, []), /0 examples for 1 fences/)
})

test("words name what Effect 4 has", () => {
  assert.equal(
    translateComments("/** `Effect.catchAll` of `@effect/platform`. */\nEffect.catchAll // Effect.fork"),
    "/** `Effect.catch` of `effect/http`. */\nEffect.catchAll // Effect.fork"
  )
  assert.equal(
    translateMarkdown("npm install effect@^3.22 @effect/platform@^0.97\n```ts\nEffect.fork\n```\n"),
    "npm install effect@~4.1\n```ts\nEffect.fork\n```\n"
  )
})

test("words about both lines stay", () => {
  const both = "`Config.string` of Effect 3 is `Config.String` of Effect 4."
  assert.equal(translateMarkdown(`Effect 3\n\n${both}\n`), `Effect 4\n\n${both}\n`)
  assert.equal(translateMarkdown("- Effect 3\n- Effect 3, Effect 4\n"), "- Effect 4\n- Effect 3, Effect 4\n")
  assert.equal(translateMarkdown(`| Effect 3 |\n| ${both} |\n`), `| Effect 4 |\n| ${both} |\n`)
  assert.equal(
    translateComments(`/**\n * Effect 3\n *\n * ${both}\n */`),
    `/**\n * Effect 4\n *\n * ${both}\n */`
  )
})

test("an example for one line alone stays, and one that Effect 4 has nothing for becomes a sentence", () => {
  const text = "```ts effect4\nEffect.forkChild\n```\n\n```ts\na\n```\n"
  assert.deepEqual(examplesIn(text), ["a"])
  assert.equal(withExamples(text, ["b"]), text.replace("\na\n", "\nb\n"))
  assert.equal(
    withExamples(text, [{ sentence: "Nothing." }]),
    "```ts effect4\nEffect.forkChild\n```\n\nNothing.\n"
  )
})
