import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiError,
  ApiRequest,
  type ApiSchema,
  Credentials,
  EventStream,
  Pagination,
  ResponseDecoder
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Cause, Effect, Either, Exit, FastCheck as fc, Redacted, Schema, Stream } from "effect"
import { observe } from "../fixtures/canary.js"
import { endOf } from "../fixtures/exits.js"
import { scripted } from "../fixtures/requests.js"
import { execute, type Run, runStream } from "../fixtures/runs.js"
import { allErrors, closed, worded } from "../fixtures/schemaValues.js"

const { bytes } = MockTransport
const utf8 = (text: string) => new TextEncoder().encode(text)
const respond = (body: string, type = "application/json", status = 200) =>
  bytes(utf8(body), { status, headers: { "content-type": type } })

/** No retries, and a secret, so that every text is redacted. */
const options = {
  retry: { maxRetries: 0 },
  credentials: Credentials.bearer(Redacted.make("sk-any-secret"))
} as const

interface Tree {
  readonly below: ReadonlyArray<Tree>
}
const Tree: Schema.Schema<Tree> = Schema.Struct({
  below: Schema.Array(Schema.suspend((): Schema.Schema<Tree> => Tree))
})
const Todo = Schema.Struct({ id: Schema.Number, title: Schema.String })
const Pages = Schema.Struct({ items: Schema.Array(Todo) })
class Gone extends Schema.TaggedError<Gone>()("Gone", { code: Schema.Number }) {}

const standard = (validate: (value: unknown) => unknown): ApiSchema.StandardSchema<number> => ({
  "~standard": { version: 1, vendor: "test", validate: validate as never }
})
const throwError = (): never => {
  throw new Error("boom")
}

/** Every way to read a response. */
const readers: Readonly<Record<string, Run>> = {
  "a schema": execute(ApiRequest.get("/x", { success: Todo })),
  "a recursive schema": execute(ApiRequest.get("/x", { success: Schema.Union(Tree, Schema.Array(Todo)) })),
  "no decoder": execute(ApiRequest.get("/x")),
  text: execute(ApiRequest.get("/x", { success: ResponseDecoder.text })),
  JSON: execute(ApiRequest.get("/x", { success: ResponseDecoder.json })),
  "a failure schema": execute(
    ApiRequest.get("/x", { success: Todo, failure: { 400: Gone, 500: Gone, 429: Gone } })
  ),
  events: runStream(EventStream.make({ event: Schema.Union(Todo, Tree), error: { schema: Gone } })),
  "events with a terminal event": runStream(EventStream.make({ event: Todo, terminal: "[DONE]" })),
  lines: runStream(EventStream.jsonLines(Schema.Union(Todo, Tree))),
  pages: (client) =>
    Stream.runCollect(
      client.items(
        ApiRequest.get("/x", {
          success: Pages,
          pagination: Pagination.linkHeader({ items: ({ items }: typeof Pages.Type) => items, maxPages: 3 })
        })
      )
    ),
  download: (client) =>
    Effect.flatMap(
      client.execute(ApiRequest.get("/x", { success: ResponseDecoder.stream() })),
      Stream.runCollect
    )
}

/** Only a value or one of our errors, which prints and is short. */
const expectOwnError = (exit: Exit.Exit<unknown, unknown>): void => {
  if (Exit.isSuccess(exit)) return
  const error = Cause.squash(exit.cause)
  expect(endOf(exit)).toEqual({ error })
  expect(ApiError.isApiError(error) || error instanceof Gone).toBe(true)
  const { message } = error as Error
  expect(message.length).toBeLessThanOrEqual(2050)
  for (const printed of [
    JSON.stringify(error),
    inspect(error),
    inspect(error, { depth: Infinity }),
    String(error)
  ]) {
    expect(printed.length).toBeLessThan(512 * 1024)
  }
}

const depths = ["[", `{"below":[`, `{"error":`, `[{"a":`] as const
const nested = (open: string, depth: number, isWhole: boolean): string => {
  const close = Array.from(open)
    .reverse()
    .map((sign) => ({ "[": "]", "{": "}" })[sign] ?? "")
    .join("")
  const middle = open.endsWith(":") ? "1" : ""
  return open.repeat(depth) + middle + (isWhole ? close.repeat(depth) : "")
}

const json = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc
    .tuple(fc.constantFrom(...depths), fc.constantFrom(3, 150, 250, 2000, 9000), fc.boolean())
    .map(([open, depth, isWhole]) => nested(open, depth, isWhole)),
  fc
    .integer({ min: 1, max: 100_000 })
    .map((length) => JSON.stringify({ id: "x".repeat(length), title: 1, message: "m".repeat(length) })),
  fc
    .integer({ min: 1, max: 5000 })
    .map((count) => JSON.stringify({ items: Array.from({ length: count }, () => ({ id: "1" })) })),
  fc.constantFrom(
    `{"__proto__":{"a":1},"constructor":{"prototype":1},"error":{"message":{"a":1},"type":["x"]}}`,
    `{"error":null,"message":7}`,
    `"\\ud83d"`,
    "1e999",
    "null",
    "[]",
    `{"error":{"type":"overloaded_error","message":"\\u0000\\ud800"}}`
  )
)
const asEvents = json.map((body) => `event: error\ndata: ${body}\n\ndata: ${body}\n\ndata: ${body}`)
const body = fc.oneof(
  json.map(utf8),
  asEvents.map(utf8),
  fc.array(json, { maxLength: 3 }).map((bodies) => utf8(bodies.join("\n"))),
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(json, fc.nat()).map(([body, at]) => utf8(body).subarray(0, at % (body.length + 1)))
)
const type = fc.constantFrom(
  "application/json",
  "text/event-stream",
  "application/x-ndjson",
  "text/html; charset=none",
  "application/problem+json; charset=utf-16",
  "",
  `;${" ;".repeat(500)}charset`
)
const status = fc.constantFrom(200, 201, 204, 299, 300, 304, 400, 401, 404, 429, 500, 503, 599)

describe("any response", () => {
  it.effect("7.7 gives a value or a tagged error, for any bytes, status and reader", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          body,
          type,
          status,
          fc.constantFrom(...Object.keys(readers)),
          async (body, type, status, reader) => {
            const exit = await Effect.runPromise(
              Effect.gen(function* () {
                const { client } = yield* scripted(
                  () => bytes(body, { status, headers: { "content-type": type, "x-should-retry": "false" } }),
                  options
                )
                return yield* Effect.exit((readers[reader] as Run)(client))
              })
            )
            expectOwnError(exit)
          }
        ),
        { seed: 5, numRuns: 400 }
      )
    )
  )

  it.effect.each(Object.entries(readers))(
    "7.7 ten thousand headers with odd names cause no defect: %s",
    ([, run]) =>
      Effect.gen(function* () {
        const odd = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`x-${index}`, "v"]))
        const { client } = yield* scripted(
          () => bytes(utf8("{"), { status: 500, headers: { ...odd, constructor: "a", "to-string": "b" } }),
          options
        )
        const exit = yield* Effect.exit(run(client))
        expect(endOf(exit)).toHaveProperty("error")
      })
  )
})

/** Code of a program that fails on a response. */
const throwingReaders: ReadonlyArray<readonly [name: string, tag: string, run: Run]> = [
  [
    "a filter",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: Todo.pipe(Schema.filter(throwError)) }))
  ],
  [
    "a transformation",
    "ResponseValidationError",
    execute(
      ApiRequest.get("/x", {
        success: Schema.transform(Todo, Schema.String, {
          decode: (): string => throwError(),
          encode: (): typeof Todo.Type => throwError()
        })
      })
    )
  ],
  [
    "an asynchronous transformation",
    "ResponseValidationError",
    execute(
      ApiRequest.get("/x", {
        success: Schema.transformOrFail(Todo, Schema.String, {
          decode: (): Effect.Effect<string> => Effect.andThen(Effect.yieldNow(), Effect.sync(throwError)),
          encode: (): Effect.Effect<typeof Todo.Type> => Effect.sync(throwError)
        })
      })
    )
  ],
  [
    "a message annotation",
    "ResponseValidationError",
    execute(
      ApiRequest.get("/x", {
        success: Schema.Struct({ id: worded(Schema.String, throwError) })
      })
    )
  ],
  [
    "a Standard Schema",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: standard(throwError) }))
  ],
  [
    "a Standard Schema that rejects",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: standard(() => Promise.reject(new Error("boom"))) }))
  ],
  [
    "a Standard Schema that returns undefined",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: standard(() => undefined) }))
  ],
  [
    "a Standard Schema with invalid issues",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: standard(() => ({ issues: [null] })) }))
  ],
  [
    "a fromEither decoder",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: ResponseDecoder.fromEither(throwError) }))
  ],
  [
    "an Either with an unprintable error",
    "ResponseValidationError",
    execute(
      ApiRequest.get("/x", { success: ResponseDecoder.fromEither(() => Either.left(Object.create(null))) })
    )
  ],
  [
    "a decoder",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: { ...ResponseDecoder.json, decode: throwError } }))
  ],
  [
    "an asynchronous decoder",
    "ResponseValidationError",
    execute(
      ApiRequest.get("/x", { success: { ...ResponseDecoder.json, decode: () => Effect.sync(throwError) } })
    )
  ]
]

const event = `data: {"id":1,"title":"a"}\n\n`

const throwingContracts: ReadonlyArray<
  readonly [name: string, contract: EventStream.EventStream<unknown, unknown>]
> = [
  ["a schema", EventStream.make({ event: Todo.pipe(Schema.filter(throwError)) })],
  ["a Standard Schema", EventStream.make({ event: standard(throwError) })],
  ["terminal", EventStream.make({ event: Todo, terminal: throwError })],
  ["ignore", EventStream.make({ event: Todo, ignore: throwError })],
  ["error", EventStream.make({ event: Todo, error: { event: throwError } })]
]

describe("code of a program that throws", () => {
  it.effect.each(throwingReaders)("7.7 a throw in %s is a %s", ([, tag, run]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => respond(`{"id":1,"title":"a"}`), options)
      const { exit } = yield* observe(run(client))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: tag, status: 200 })
      expectOwnError(exit)
    })
  )

  it.effect.each(throwingContracts)(
    "7.7 a throw in %s of a stream is a StreamProtocolError",
    ([, contract]) =>
      Effect.gen(function* () {
        const { client } = yield* scripted(() => respond(event, "text/event-stream"), options)
        const { exit } = yield* observe(runStream(contract)(client))
        expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
          _tag: "StreamProtocolError"
        })
        expectOwnError(exit)
      })
  )

  it.effect.each<readonly [name: string, run: Run, tag: string]>([
    ["errorType", execute(ApiRequest.get("/x")), "NotFoundError"],
    [
      "a failure schema",
      execute(ApiRequest.get("/x", { failure: { 404: Gone.pipe(Schema.filter(throwError)) } })),
      "NotFoundError"
    ],
    [
      "a failure decoder",
      execute(ApiRequest.get("/x", { failure: { 404: { ...ResponseDecoder.json, decode: throwError } } })),
      "NotFoundError"
    ]
  ])("7.7 a throw in %s leaves the status's own error", ([, run, tag]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => respond(`{"code":1}`, "application/json", 404), {
        ...options,
        errorType: throwError
      })
      const { exit } = yield* observe(run(client))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: tag, status: 404 })
    })
  )

  it.effect("8.3 with lenient validation, a filter that throws leaves the parsed value", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => respond(`{"id":1,"title":"a"}`), {
        ...options,
        validation: "lenient"
      })
      const value = yield* client.execute(
        ApiRequest.get("/x", { success: Todo.pipe(Schema.filter(throwError)) })
      )
      expect(value).toEqual({ id: 1, title: "a" })
    })
  )
})

interface PrintedError {
  readonly message: string
  readonly reason?: string
  readonly excerpt?: string
  readonly type?: string
  readonly body?: unknown
  readonly path?: ReadonlyArray<unknown>
}

const errorOf = (body: string, success: ResponseDecoder.Decodable, status = 200) =>
  Effect.gen(function* () {
    const { client } = yield* scripted(() => respond(body, "application/json", status), options)
    const exit = yield* Effect.exit(client.execute(ApiRequest.get("/x", { success })))
    expectOwnError(exit)
    return (Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined) as PrintedError
  })

describe("texts in an error", () => {
  const long = "x".repeat(3_000_000)

  it.effect.each<readonly [name: string, body: string, success: ResponseDecoder.Decodable, status?: number]>([
    ["a string", JSON.stringify(long), Schema.Number],
    ["a field", JSON.stringify({ id: long, title: "a" }), Todo],
    ["a list", JSON.stringify(Array.from({ length: 200_000 }, (_, index) => index)), Schema.String],
    ["union members", JSON.stringify(long), Schema.Union(Schema.Number, Schema.Boolean, Schema.Null, Todo)],
    [
      "all errors of a schema",
      JSON.stringify(Array.from({ length: 20_000 }, () => ({ id: "1" }))),
      allErrors(Todo)
    ],
    [
      "a filter's message",
      JSON.stringify({ id: 1, title: long }),
      Todo.pipe(Schema.filter(({ title }) => `not ${title}`))
    ],
    ["a message annotation", JSON.stringify(long), worded(Schema.Number, (value) => `not ${String(value)}`)],
    [
      "Standard Schema issues",
      "1",
      standard(() => ({
        issues: Array.from({ length: 50_000 }, () => ({ message: long, path: ["a", long] }))
      }))
    ],
    ["an Either's error", "1", ResponseDecoder.fromEither(() => Either.left(new Error(long)))],
    ["an excess key", JSON.stringify({ id: 1, title: "a", [long]: 1 }), closed(Todo)],
    ["a status error's message", JSON.stringify({ message: "m".repeat(60_000) }), Todo, 400],
    ["a status error's type", JSON.stringify({ error: { type: "t".repeat(60_000) } }), Todo, 400]
  ])("12.5 are bounded for %s", ([, body, success, status]) =>
    Effect.gen(function* () {
      const error = yield* errorOf(body, success, status)
      expect(error.message.length).toBeLessThanOrEqual(2049)
      expect((error.reason ?? error.type ?? "").length).toBeLessThanOrEqual(2049)
      for (const key of error.path ?? []) expect(String(key).length).toBeLessThanOrEqual(201)
      expect(JSON.stringify(error).length).toBeLessThan(200_000)
    })
  )

  it.effect("12.5 end in an ellipsis and never split a character", () =>
    Effect.gen(function* () {
      const { message } = yield* errorOf(JSON.stringify({ message: `a${"😀".repeat(3000)}` }), Todo, 400)
      expect(message.endsWith("😀…")).toBe(true)
      expect(message).not.toMatch(/\p{Surrogate}/u)
    })
  )

  it.effect("12.4 never show a part of a secret at the cut", () =>
    Effect.gen(function* () {
      const secret = "sk-any-secret"
      for (let before = 480; before <= 500; before++) {
        const error = yield* errorOf(
          JSON.stringify({ id: `${"y".repeat(before)}${secret}${"z".repeat(600)}`, title: "a" }),
          Todo
        )
        expect(`${error.reason} ${error.excerpt}`).not.toContain("sk-")
      }
    })
  )

  it.effect("7.1 a body nested deeper than 200 levels stays text", () =>
    Effect.gen(function* () {
      const shallow = nested("[", 200, true)
      expect((yield* errorOf(shallow, Todo, 500)).body).toEqual(JSON.parse(shallow))
      const deep = nested("[", 201, true)
      expect((yield* errorOf(deep, Todo, 500)).body).toBe(deep)
      const brackets = JSON.stringify({ text: '"['.repeat(500) })
      expect((yield* errorOf(brackets, Todo, 500)).body).toEqual(JSON.parse(brackets))
    })
  )

  it.effect("7.4 a body nested too deep for its schema is a ResponseValidationError", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(nested(`{"below":[`, 20_000, true), Tree)
      expect(error).toMatchObject({ _tag: "ResponseValidationError", status: 200 })
    })
  )
})
