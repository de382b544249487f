import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import {
  type ApiClient,
  ApiError,
  ApiRequest,
  type ApiSchema,
  Credentials,
  EventStream,
  Pagination,
  ResponseDecoder
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Cause, Effect, Either, Exit, FastCheck as fc, ParseResult, Redacted, Schema, Stream } from "effect"
import { observe } from "../fixtures/canary.js"
import { scripted } from "../fixtures/requests.js"

const { bytes } = MockTransport
const utf8 = (text: string) => new TextEncoder().encode(text)
const answer = (body: string, type = "application/json", status = 200) =>
  bytes(utf8(body), { status, headers: { "content-type": type } })

/** Retries none, and has a secret: so every text is redacted. */
const options = {
  retry: { maxRetries: 0 },
  credentials: Credentials.bearer(Redacted.make("sk-any-secret"))
} as const

type Run = (client: ApiClient.ApiClient) => Effect.Effect<unknown, unknown>
const execute =
  (request: ApiRequest.ApiRequest<unknown, unknown>): Run =>
  (client) =>
    client.execute(request)
const streamed =
  (contract: EventStream.EventStream<unknown, unknown>): Run =>
  (client) =>
    Stream.runCollect(
      client.stream(ApiRequest.get("/x", { events: contract as EventStream.EventStream<unknown> }))
    )

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
const boom = (): never => {
  throw new Error("boom")
}

/** Every way to read a response. */
const ways: Readonly<Record<string, Run>> = {
  "a schema": execute(ApiRequest.get("/x", { success: Todo })),
  "a schema that refers to itself": execute(
    ApiRequest.get("/x", { success: Schema.Union(Tree, Schema.Array(Todo)) })
  ),
  "what is there": execute(ApiRequest.get("/x")),
  text: execute(ApiRequest.get("/x", { success: ResponseDecoder.text })),
  JSON: execute(ApiRequest.get("/x", { success: ResponseDecoder.json })),
  "an error of one's own": execute(
    ApiRequest.get("/x", { success: Todo, failure: { 400: Gone, 500: Gone, 429: Gone } })
  ),
  events: streamed(EventStream.make({ event: Schema.Union(Todo, Tree), error: { schema: Gone } })),
  "events with an end": streamed(EventStream.make({ event: Todo, terminal: "[DONE]" })),
  lines: streamed(EventStream.jsonLines(Schema.Union(Todo, Tree))),
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

/** Nothing but values and errors of ours, which can be shown, and are short. */
const expectTame = (exit: Exit.Exit<unknown, unknown>): void => {
  if (Exit.isSuccess(exit)) return
  const error = Cause.squash(exit.cause)
  expect(Cause.isFailType(exit.cause) || Cause.pretty(exit.cause)).toBe(true)
  expect(ApiError.isApiError(error) || error instanceof Gone).toBe(true)
  const { message } = error as Error
  expect(message.length).toBeLessThanOrEqual(2050)
  for (const shown of [
    JSON.stringify(error),
    inspect(error),
    inspect(error, { depth: Infinity }),
    String(error)
  ]) {
    expect(shown.length).toBeLessThan(512 * 1024)
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

describe("what a server sends", () => {
  it.effect("7.7 is a value or a tagged error, whatever the bytes, the status and the reader", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          body,
          type,
          status,
          fc.constantFrom(...Object.keys(ways)),
          async (body, type, status, way) => {
            const exit = await Effect.runPromise(
              Effect.gen(function* () {
                const { client } = yield* scripted(
                  () => bytes(body, { status, headers: { "content-type": type, "x-should-retry": "false" } }),
                  options
                )
                return yield* Effect.exit((ways[way] as Run)(client))
              })
            )
            expectTame(exit)
          }
        ),
        { seed: 5, numRuns: 400 }
      )
    )
  )

  it.effect.each(Object.entries(ways))(
    "7.7 ten thousand headers, some with odd names, are no defect: %s",
    ([, run]) =>
      Effect.gen(function* () {
        const odd = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`x-${index}`, "v"]))
        const { client } = yield* scripted(
          () => bytes(utf8("{"), { status: 500, headers: { ...odd, constructor: "a", "to-string": "b" } }),
          options
        )
        const exit = yield* Effect.exit(run(client))
        expect(Exit.isFailure(exit) && Cause.isFailType(exit.cause)).toBe(true)
      })
  )
})

/** What a program's own code does wrong with what a server has sent. */
const throwing: ReadonlyArray<readonly [name: string, tag: string, run: Run]> = [
  [
    "a filter",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: Todo.pipe(Schema.filter(boom)) }))
  ],
  [
    "a transformation",
    "ResponseValidationError",
    execute(
      ApiRequest.get("/x", { success: Schema.transform(Todo, Schema.String, { decode: boom, encode: boom }) })
    )
  ],
  [
    "a transformation that is an effect",
    "ResponseValidationError",
    execute(
      ApiRequest.get("/x", {
        success: Schema.transformOrFail(Todo, Schema.String, {
          decode: () => Effect.andThen(Effect.yieldNow(), Effect.sync(boom)),
          encode: (text) => ParseResult.fail(new ParseResult.Unexpected(text))
        })
      })
    )
  ],
  [
    "a schema's own message",
    "ResponseValidationError",
    execute(
      ApiRequest.get("/x", { success: Schema.Struct({ id: Schema.String.annotations({ message: boom }) }) })
    )
  ],
  [
    "a Standard Schema",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: standard(boom) }))
  ],
  [
    "a Standard Schema that rejects",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: standard(() => Promise.reject(new Error("boom"))) }))
  ],
  [
    "a Standard Schema that gives nothing",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: standard(() => undefined) }))
  ],
  [
    "a Standard Schema with odd issues",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: standard(() => ({ issues: [null] })) }))
  ],
  [
    "a decoder of an Either",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: ResponseDecoder.fromEither(boom) }))
  ],
  [
    "an Either with an odd error",
    "ResponseValidationError",
    execute(
      ApiRequest.get("/x", { success: ResponseDecoder.fromEither(() => Either.left(Object.create(null))) })
    )
  ],
  [
    "a decoder",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: { ...ResponseDecoder.json, decode: boom } }))
  ],
  [
    "a decoder that is an effect",
    "ResponseValidationError",
    execute(ApiRequest.get("/x", { success: { ...ResponseDecoder.json, decode: () => Effect.sync(boom) } }))
  ]
]

const event = `data: {"id":1,"title":"a"}\n\n`

const throwingInStreams: ReadonlyArray<
  readonly [name: string, contract: EventStream.EventStream<unknown, unknown>]
> = [
  ["a schema", EventStream.make({ event: Todo.pipe(Schema.filter(boom)) })],
  ["a Standard Schema", EventStream.make({ event: standard(boom) })],
  ["terminal", EventStream.make({ event: Todo, terminal: boom })],
  ["ignore", EventStream.make({ event: Todo, ignore: boom })],
  ["error", EventStream.make({ event: Todo, error: { event: boom } })]
]

describe("a program's own code that throws", () => {
  it.effect.each(throwing)("7.7 in %s makes a %s", ([, tag, run]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => answer(`{"id":1,"title":"a"}`), options)
      const { exit } = yield* observe(run(client))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: tag, status: 200 })
      expectTame(exit)
    })
  )

  it.effect.each(throwingInStreams)("7.7 in %s of a stream makes a StreamProtocolError", ([, contract]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => answer(event, "text/event-stream"), options)
      const { exit } = yield* observe(streamed(contract)(client))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: "StreamProtocolError" })
      expectTame(exit)
    })
  )

  it.effect.each<readonly [name: string, run: Run, tag: string]>([
    ["errorType", execute(ApiRequest.get("/x")), "NotFoundError"],
    [
      "a failure schema",
      execute(ApiRequest.get("/x", { failure: { 404: Gone.pipe(Schema.filter(boom)) } })),
      "NotFoundError"
    ],
    [
      "a failure decoder",
      execute(ApiRequest.get("/x", { failure: { 404: { ...ResponseDecoder.json, decode: boom } } })),
      "NotFoundError"
    ]
  ])("7.7 in %s leaves the error of the status", ([, run, tag]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => answer(`{"code":1}`, "application/json", 404), {
        ...options,
        errorType: boom
      })
      const { exit } = yield* observe(run(client))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: tag, status: 404 })
    })
  )

  it.effect("8.3 lenient validation hands on what a filter that throws was given", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => answer(`{"id":1,"title":"a"}`), {
        ...options,
        validation: "lenient"
      })
      const value = yield* client.execute(ApiRequest.get("/x", { success: Todo.pipe(Schema.filter(boom)) }))
      expect(value).toEqual({ id: 1, title: "a" })
    })
  )
})

interface Shown {
  readonly message: string
  readonly reason?: string
  readonly excerpt?: string
  readonly type?: string
  readonly body?: unknown
  readonly path?: ReadonlyArray<unknown>
}

const errorOf = (body: string, success: ResponseDecoder.Decodable, status = 200) =>
  Effect.gen(function* () {
    const { client } = yield* scripted(() => answer(body, "application/json", status), options)
    const exit = yield* Effect.exit(client.execute(ApiRequest.get("/x", { success })))
    expectTame(exit)
    return (Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined) as Shown
  })

describe("texts of an error", () => {
  const long = "x".repeat(3_000_000)

  it.effect.each<readonly [name: string, body: string, success: ResponseDecoder.Decodable, status?: number]>([
    ["of a string", JSON.stringify(long), Schema.Number],
    ["of a field", JSON.stringify({ id: long, title: "a" }), Todo],
    ["of a list", JSON.stringify(Array.from({ length: 200_000 }, (_, index) => index)), Schema.String],
    [
      "of a union's members",
      JSON.stringify(long),
      Schema.Union(Schema.Number, Schema.Boolean, Schema.Null, Todo)
    ],
    [
      "of all that is wrong",
      JSON.stringify(Array.from({ length: 20_000 }, () => ({ id: "1" }))),
      Schema.Array(Todo).annotations({ parseOptions: { errors: "all" } })
    ],
    [
      "of a filter's own words",
      JSON.stringify({ id: 1, title: long }),
      Todo.pipe(Schema.filter(({ title }) => `not ${title}`))
    ],
    [
      "of an annotation's",
      JSON.stringify(long),
      Schema.Number.annotations({ message: ({ actual }) => `not ${String(actual)}` })
    ],
    [
      "of a Standard Schema",
      "1",
      standard(() => ({
        issues: Array.from({ length: 50_000 }, () => ({ message: long, path: ["a", long] }))
      }))
    ],
    ["of an Either", "1", ResponseDecoder.fromEither(() => Either.left(new Error(long)))],
    [
      "of an excess key",
      JSON.stringify({ id: 1, title: "a", [long]: 1 }),
      Todo.annotations({ parseOptions: { onExcessProperty: "error" } })
    ],
    ["of a status", JSON.stringify({ message: "m".repeat(60_000) }), Todo, 400],
    ["of a status's type", JSON.stringify({ error: { type: "t".repeat(60_000) } }), Todo, 400]
  ])("12.5 are bounded: %s", ([, body, success, status]) =>
    Effect.gen(function* () {
      const error = yield* errorOf(body, success, status)
      expect(error.message.length).toBeLessThanOrEqual(2049)
      expect((error.reason ?? error.type ?? "").length).toBeLessThanOrEqual(2049)
      for (const key of error.path ?? []) expect(String(key).length).toBeLessThanOrEqual(201)
      expect(JSON.stringify(error).length).toBeLessThan(200_000)
    })
  )

  it.effect("12.5 end in an ellipsis, and cut no character in two", () =>
    Effect.gen(function* () {
      const { message } = yield* errorOf(JSON.stringify({ message: `a${"😀".repeat(3000)}` }), Todo, 400)
      expect(message.endsWith("😀…")).toBe(true)
      expect(message).not.toMatch(/\p{Surrogate}/u)
    })
  )

  it.effect("12.4 show no half of a secret where a value is cut within them", () =>
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

  it.effect("7.1 a body that is nested deep stays the text it is", () =>
    Effect.gen(function* () {
      const shallow = nested("[", 200, true)
      expect((yield* errorOf(shallow, Todo, 500)).body).toEqual(JSON.parse(shallow))
      const deep = nested("[", 201, true)
      expect((yield* errorOf(deep, Todo, 500)).body).toBe(deep)
      const brackets = JSON.stringify({ text: '"['.repeat(500) })
      expect((yield* errorOf(brackets, Todo, 500)).body).toEqual(JSON.parse(brackets))
    })
  )

  it.effect("7.4 a body that is nested too deep for its schema does not fit", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(nested(`{"below":[`, 20_000, true), Tree)
      expect(error).toMatchObject({ _tag: "ResponseValidationError", status: 200 })
    })
  )
})
