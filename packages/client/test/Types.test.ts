import type { HttpClient, HttpClientRequest } from "@effect/platform"
import { FetchHttpClient } from "@effect/platform"
import * as OldSchema from "@effect/schema/Schema"
import {
  ApiClient,
  type ApiConfig,
  ApiError,
  ApiRequest,
  type ApiResponse,
  Credentials,
  EventStream,
  Pagination,
  ResponseDecoder,
  RetryPolicy,
  type ServerSentEvents
} from "@effect-api/client"
import {
  Config,
  type ConfigError,
  Effect,
  Layer,
  ParseResult,
  Redacted,
  Schedule,
  Schema,
  type Stream
} from "effect"
import * as v from "valibot"
import { describe, expectTypeOf, it } from "vitest"
import { z } from "zod"
import { getTodo, Todo, TodoMissing } from "./fixtures/requests.js"

/** Where every line below is checked by the compiler: what must not compile is marked, what must is not run. */
const compiles = (_: () => unknown) => expectTypeOf(_).toBeFunction()

type Failed<A> = A extends Effect.Effect<infer _A, infer E, infer _R> ? E : never

describe("what a call gives", () => {
  it("7 value, errors and requirement of execute", () => {
    const program = ApiClient.execute(getTodo(1))
    expectTypeOf(program).toEqualTypeOf<
      Effect.Effect<Todo, ApiError.ApiError | TodoMissing, ApiClient.ApiClient>
    >()
    expectTypeOf(ApiClient.executeWithResponse(getTodo(1))).toEqualTypeOf<
      Effect.Effect<ApiResponse.ApiResponse<Todo>, ApiError.ApiError | TodoMissing, ApiClient.ApiClient>
    >()
  })

  it("7 the client's own methods need nothing", () => {
    compiles((client: ApiClient.ApiClient = {} as never) => {
      expectTypeOf(client.execute(getTodo(1))).toEqualTypeOf<
        Effect.Effect<Todo, ApiError.ApiError | TodoMissing>
      >()
      expectTypeOf(client.get("/x")).toEqualTypeOf<Effect.Effect<unknown, ApiError.ApiError>>()
      expectTypeOf(client.prepare(getTodo(1))).toEqualTypeOf<
        Effect.Effect<HttpClientRequest.HttpClientRequest, ApiError.InvalidRequestError>
      >()
      expectTypeOf(client.withOptions({ redirects: 1 })).toEqualTypeOf<ApiClient.ApiClient>()
      expectTypeOf(ApiClient.httpClient(client)).toEqualTypeOf<HttpClient.HttpClient>()
    })
  })

  it("7.5 failures of several statuses are a union", () => {
    class Taken extends Schema.TaggedError<Taken>()("Taken", { by: Schema.String }) {}
    const request = ApiRequest.post("/x", {
      success: Schema.Void,
      failure: { 404: TodoMissing, 409: Taken, 500: z.object({ code: z.number() }) }
    })
    expectTypeOf(request).toEqualTypeOf<ApiRequest.ApiRequest<void, TodoMissing | Taken | { code: number }>>()
  })

  it("7 a caught tag is gone", () => {
    const caught = ApiClient.execute(getTodo(1)).pipe(
      Effect.catchTags({
        TodoMissing: () => Effect.succeed(null),
        RateLimitError: () => Effect.succeed(null)
      })
    )
    expectTypeOf<Failed<typeof caught>>().toEqualTypeOf<Exclude<ApiError.ApiError, ApiError.RateLimitError>>()
    compiles(() =>
      Effect.catchTag(ApiClient.execute(getTodo(1)), "RateLimitError", (error) => {
        expectTypeOf(error).toEqualTypeOf<ApiError.RateLimitError>()
        return Effect.fail(error)
      })
    )
  })

  it("1 layers say what they need and fail with", () => {
    const layer = ApiClient.layer({ baseUrl: "https://api.test" })
    expectTypeOf(layer).toEqualTypeOf<
      Layer.Layer<ApiClient.ApiClient, ApiConfig.InvalidConfigError, HttpClient.HttpClient>
    >()
    expectTypeOf(layer.pipe(Layer.provide(FetchHttpClient.layer))).toEqualTypeOf<
      Layer.Layer<ApiClient.ApiClient, ApiConfig.InvalidConfigError>
    >()
    expectTypeOf(ApiClient.layerConfig({ baseUrl: Config.string("BASE_URL") })).toEqualTypeOf<
      Layer.Layer<
        ApiClient.ApiClient,
        ApiConfig.InvalidConfigError | ConfigError.ConfigError,
        HttpClient.HttpClient
      >
    >()
    expectTypeOf(ApiClient.layerHttpClient).toEqualTypeOf<
      Layer.Layer<HttpClient.HttpClient, never, ApiClient.ApiClient>
    >()
  })
})

describe("errors", () => {
  it("7 the table and the union are the same tags", () => {
    expectTypeOf<keyof typeof ApiError.table>().toEqualTypeOf<ApiError.ApiError["_tag"]>()
  })

  it("7 every class of the module is in the union", () => {
    type Classes = {
      readonly [K in keyof typeof ApiError]: (typeof ApiError)[K] extends new (
        fields: never
      ) => infer E
        ? E
        : never
    }[keyof typeof ApiError]
    expectTypeOf<Classes>().toEqualTypeOf<ApiError.ApiError>()
  })

  it("7.1 status errors are those with a status and a body", () => {
    expectTypeOf<
      Extract<ApiError.ApiError, { readonly body: unknown }>
    >().toEqualTypeOf<ApiError.StatusError>()
    compiles((error: ApiError.ApiError = {} as never) => {
      if (ApiError.isStatusError(error)) expectTypeOf(error.status).toEqualTypeOf<number>()
      expectTypeOf(error.attempts).toEqualTypeOf<ReadonlyArray<ApiError.Attempt>>()
      // @ts-expect-error not every error has a status
      return error.status
    })
  })
})

describe("paths", () => {
  it("2.3 names of a template are asked for, each by its name", () => {
    compiles(() => [
      ApiRequest.get("/todos/{id}", { path: { id: 1 } }),
      ApiRequest.get("/a/{b}/{c}", { path: { b: "x", c: true } }),
      ApiRequest.get("/a/{b}?d={c}", { path: { b: 1n, c: Redacted.make("s") } }),
      ApiRequest.get("/todos"),
      ApiRequest.get("/todos", {}),
      ApiRequest.get("/todos" as string),
      ApiRequest.get("/todos/{id}" as string, { path: { id: 1 } }),
      // @ts-expect-error missing options
      ApiRequest.get("/todos/{id}"),
      // @ts-expect-error missing path
      ApiRequest.get("/todos/{id}", {}),
      // @ts-expect-error missing name
      ApiRequest.get("/a/{b}/{c}", { path: { b: 1 } }),
      // @ts-expect-error misspelt name
      ApiRequest.get("/todos/{id}", { path: { ids: 1 } }),
      // @ts-expect-error extra name
      ApiRequest.get("/todos/{id}", { path: { id: 1, more: 2 } }),
      // @ts-expect-error a path where the template has no names
      ApiRequest.get("/todos", { path: { id: 1 } }),
      // @ts-expect-error null is no segment
      ApiRequest.get("/todos/{id}", { path: { id: null } }),
      // @ts-expect-error an object is no segment
      ApiRequest.get("/todos/{id}", { path: { id: { a: 1 } } }),
      // @ts-expect-error undefined is no segment
      ApiRequest.post("/todos/{id}", { path: { id: undefined } })
    ])
  })

  it("2.3 the verbs of a client ask for the same", () => {
    compiles((client: ApiClient.ApiClient = {} as never) => [
      client.get("/todos/{id}", { path: { id: 1 } }),
      ApiClient.del("/todos/{id}", { path: { id: 1 } }),
      // @ts-expect-error missing options
      client.get("/todos/{id}"),
      // @ts-expect-error misspelt name
      ApiClient.post("/todos/{id}", { path: { ids: 1 } })
    ])
  })
})

describe("options", () => {
  it("5 what is misspelt or does not belong is refused", () => {
    compiles(() => [
      // @ts-expect-error misspelt option
      ApiRequest.get("/todos", { sucess: Todo }),
      // @ts-expect-error a body on GET
      ApiRequest.get("/todos", { body: 1 }),
      // @ts-expect-error a form on HEAD
      ApiRequest.head("/todos", { form: { a: 1 } }),
      // @ts-expect-error bytes as text
      ApiRequest.post("/todos", { text: new Uint8Array(1) }),
      // @ts-expect-error text as bytes
      ApiRequest.post("/todos", { bytes: "text" }),
      // @ts-expect-error an object is no header
      ApiRequest.get("/todos", { headers: { "x-a": { b: 1 } } }),
      // @ts-expect-error a function is no query value
      ApiRequest.get("/todos", { query: { a: () => 1 } }),
      // @ts-expect-error a schema that needs a service
      ApiRequest.get("/todos", { success: NeedsService })
    ])
  })

  it("5.1 a body fits its schema", () => {
    const bodySchema = Schema.Struct({ at: Schema.Date, tags: Schema.Array(Schema.String) })
    compiles(() => [
      ApiRequest.post("/x", { body: { at: new Date(0), tags: [] }, bodySchema }),
      ApiRequest.post("/x", { body: { anything: [1, null] } }),
      // @ts-expect-error the encoded side
      ApiRequest.post("/x", { body: { at: "1970-01-01", tags: [] }, bodySchema }),
      // @ts-expect-error missing field
      ApiRequest.post("/x", { body: { at: new Date(0) }, bodySchema }),
      // @ts-expect-error of another type
      ApiRequest.put("/x", { body: 1, bodySchema })
    ])
  })

  interface Filter {
    page: number
    since?: Date
    where: { readonly state: string; tags: Array<string> }
  }
  interface Tracing {
    readonly "x-trace": string
    "x-tags"?: ReadonlyArray<string>
  }
  interface Wrong {
    page: number
    run: () => number
  }
  interface Waiting {
    page: Promise<number>
  }

  it("3.1 interfaces are queries, forms and headers, and hold what these can hold", () => {
    compiles((filter: Filter = {} as never, wrong: Wrong = {} as never, waiting: Waiting = {} as never) => [
      ApiRequest.get("/x", { query: filter }),
      ApiRequest.get("/x", { query: { filter } }),
      ApiRequest.get("/x", { query: { ...filter, page: filter.page + 1 } }),
      ApiRequest.post("/x", { form: filter, query: filter }),
      ApiClient.post("/x", { form: filter }),
      ApiRequest.get("/x", { headers: {} as Tracing }),
      ApiRequest.get("/x", { headers: new Headers() }),
      ApiRequest.get("/x", { headers: new Map([["x-a", "1"]]) }),
      ApiRequest.get("/x", { headers: [["x-a", "1"]] }),
      ApiRequest.get("/x", {
        query: (old) => ({ ...old, a: 1 }),
        headers: (old) => ({ ...old, "x-a": "1" })
      }),
      ApiRequest.get("/x", { query: filter.page > 1 ? { page: 1 } : {} }),
      ApiRequest.post("/x", { body: [1, 2] as const }),
      ApiRequest.post("/x", { body: filter }),
      // @ts-expect-error a function is no query value
      ApiRequest.get("/x", { query: wrong }),
      // @ts-expect-error nor is it one of a form
      ApiRequest.post("/x", { form: wrong }),
      // @ts-expect-error a forgotten await
      ApiRequest.get("/x", { query: waiting }),
      // @ts-expect-error deep within
      ApiRequest.get("/x", { query: { filter: { waiting } } }),
      // @ts-expect-error a header is text
      ApiRequest.get("/x", { headers: wrong }),
      // @ts-expect-error not of these
      ApiRequest.get("/x", { query: new Map([["a", 1]]) }),
      // @ts-expect-error a promise of them
      ApiRequest.get("/x", { query: Promise.resolve({ a: 1 }) }),
      // @ts-expect-error text is no query
      ApiRequest.get("/x", { query: "a=1" })
    ])
  })

  it("1.4 what withOptions and override take", () => {
    compiles((client: ApiClient.ApiClient = {} as never) => [
      client.withOptions({ retry: { maxRetries: 1 }, middleware: (old) => old.slice(1) }),
      client.withOptions({ retry: ({ schedule }) => Schedule.upTo(schedule, "1 minute") }),
      client.withOptions({ headers: new Headers(), timeouts: (old) => ({ ...old, total: "1 second" }) }),
      ApiRequest.override(getTodo(1), { retry: () => RetryPolicy.none, query: (old) => ({ ...old, a: 1 }) }),
      // @ts-expect-error not a setting that merges
      client.withOptions({ redirects: () => 1 }),
      // @ts-expect-error not of the kind
      client.withOptions({ timeouts: () => 1 }),
      // @ts-expect-error a client is not made over another
      ApiClient.layer({ baseUrl: "https://api.test", headers: () => ({}) })
    ])
  })

  it("1 a client's options", () => {
    const baseUrl = "https://api.test"
    compiles(() => [
      ApiClient.layer({ baseUrl, retry: { maxRetries: 1 } }),
      ApiClient.layer({ baseUrl, retry: RetryPolicy.none }),
      ApiClient.layer({ baseUrl, retry: Schedule.recurs(1) }),
      ApiClient.layer({
        baseUrl,
        retry: RetryPolicy.schedule(RetryPolicy.make()).pipe(Schedule.upTo("1 minute"))
      }),
      ApiClient.layer({ baseUrl: new URL(baseUrl), credentials: undefined }),
      // @ts-expect-error no base URL
      ApiClient.layer({}),
      // @ts-expect-error misspelt
      ApiClient.layer({ baseUrl, timeout: 1 }),
      // @ts-expect-error misspelt within
      ApiClient.layer({ baseUrl, timeouts: { conect: 1 } }),
      // @ts-expect-error a secret in the open
      ApiClient.layer({ baseUrl, credentials: Credentials.bearer("token") }),
      // @ts-expect-error no credentials
      ApiClient.layer({ baseUrl, credentials: Redacted.make("token") }),
      // @ts-expect-error a schedule over other errors
      ApiClient.layer({ baseUrl, retry: Schedule.recurWhile((error: Date) => error.getTime() > 0) }),
      // @ts-expect-error unknown format
      ApiClient.layer({ baseUrl, queryFormat: { arrays: "pipes" } })
    ])
  })
})

class Service extends Effect.Service<Service>()("Service", { succeed: { word: "one" } }) {}
const NeedsService = Schema.transformOrFail(Schema.String, Schema.String, {
  decode: (text) => Effect.map(Service, ({ word }) => text + word),
  encode: (text) => ParseResult.succeed(text)
})

describe("decoders", () => {
  const value = <A, E>(_: ApiRequest.ApiRequest<A, E>): A => undefined as A

  it("8.4 schemas and decoders give their type", () => {
    expectTypeOf(value(ApiRequest.get("/x"))).toBeUnknown()
    expectTypeOf(value(ApiRequest.get("/x", { success: Todo }))).toEqualTypeOf<Todo>()
    expectTypeOf(value(ApiRequest.get("/x", { success: Schema.Array(Schema.Date) }))).toEqualTypeOf<
      ReadonlyArray<Date>
    >()
    expectTypeOf(value(ApiRequest.get("/x", { success: Schema.Void }))).toEqualTypeOf<void>()
    expectTypeOf(value(ApiRequest.get("/x", { success: ResponseDecoder.text }))).toEqualTypeOf<string>()
    expectTypeOf(value(ApiRequest.get("/x", { success: ResponseDecoder.bytes }))).toEqualTypeOf<Uint8Array>()
    expectTypeOf(value(ApiRequest.get("/x", { success: ResponseDecoder.empty }))).toEqualTypeOf<void>()
    expectTypeOf(value(ApiRequest.get("/x", { success: ResponseDecoder.json }))).toBeUnknown()
  })

  it("8.4 Standard Schemas give their output", () => {
    const coerced = z.object({ at: z.string().transform((text) => new Date(text)) })
    expectTypeOf(value(ApiRequest.get("/x", { success: coerced }))).toEqualTypeOf<{ at: Date }>()
    const piped = v.object({ n: v.pipe(v.string(), v.transform(Number)) })
    expectTypeOf(value(ApiRequest.get("/x", { success: piped }))).toEqualTypeOf<{ n: number }>()
    const standard = Schema.standardSchemaV1(Todo)
    expectTypeOf(value(ApiRequest.get("/x", { success: standard }))).toEqualTypeOf<Todo>()
  })

  it("8.4 schemas of the old package give their type", () => {
    const Old = OldSchema.Struct({ id: OldSchema.NumberFromString })
    const success = ResponseDecoder.fromEither(OldSchema.decodeUnknownEither(Old))
    expectTypeOf(value(ApiRequest.get("/x", { success }))).toEqualTypeOf<{ readonly id: number }>()
  })

  it("1.4 override keeps what a request gives", () => {
    expectTypeOf(ApiRequest.override(getTodo(1), { retry: RetryPolicy.none })).toEqualTypeOf(getTodo(1))
    expectTypeOf(getTodo(1).pipe(ApiRequest.override({ timeouts: { total: 1 } }))).toEqualTypeOf(getTodo(1))
    // @ts-expect-error what it gives cannot be overridden
    compiles(() => ApiRequest.override(getTodo(1), { success: Todo }))
  })
})

describe("failures", () => {
  it("7.5 a failure stands under a status", () => {
    // @ts-expect-error `missing` is no status
    compiles(() => ApiRequest.get("/todos", { failure: { missing: TodoMissing } }))
  })
})

describe("streams and pages", () => {
  const Tick = Schema.Struct({ n: Schema.Number })
  const Page = Schema.Struct({ data: Schema.Array(Tick), has_more: Schema.Boolean })

  it("10 a stream has the values of its contract and the errors of both", () => {
    const request = ApiRequest.get("/ticks", {
      failure: { 404: TodoMissing },
      events: EventStream.make({ event: Tick, terminal: (tick) => tick.n === 9 })
    })
    expectTypeOf(request).toEqualTypeOf<ApiRequest.StreamRequest<typeof Tick.Type, TodoMissing>>()
    expectTypeOf(ApiClient.stream(request)).toEqualTypeOf<
      Stream.Stream<typeof Tick.Type, ApiError.ApiError | TodoMissing, ApiClient.ApiClient>
    >()
  })

  it("10 a record of events gives any of them, and raw events where unknown ones pass", () => {
    const contract = EventStream.make({ event: { tick: Tick, page: Page }, unknown: "pass" })
    expectTypeOf(contract).toEqualTypeOf<
      EventStream.EventStream<typeof Tick.Type | typeof Page.Type | ServerSentEvents.ServerSentEvent, never>
    >()
  })

  it("10 a stream is not executed, and a value is not streamed", () => {
    const request = ApiRequest.get("/ticks", { events: EventStream.make({ event: Tick }) })
    // @ts-expect-error a stream has no single value
    compiles(() => ApiClient.execute(request))
    // @ts-expect-error a request without events is no stream
    compiles(() => ApiClient.stream(getTodo(1)))
  })

  it("11 pages and items, with the page's type taken from the request", () => {
    const piped = ApiRequest.get("/ticks", { success: Page, failure: { 404: TodoMissing } }).pipe(
      ApiRequest.paginate(Pagination.cursor({ items: (page) => page.data }))
    )
    expectTypeOf(piped).toEqualTypeOf<
      ApiRequest.PageRequest<typeof Page.Type, typeof Tick.Type, TodoMissing>
    >()
    const option = ApiRequest.get("/ticks", {
      success: Page,
      failure: { 404: TodoMissing },
      pagination: Pagination.cursor({ items: (page: typeof Page.Type) => page.data })
    })
    expectTypeOf(option).toEqualTypeOf(piped)
    expectTypeOf(ApiClient.items(piped)).toEqualTypeOf<
      Stream.Stream<typeof Tick.Type, ApiError.ApiError | TodoMissing, ApiClient.ApiClient>
    >()
    expectTypeOf(ApiClient.pages(piped)).toEqualTypeOf<
      Stream.Stream<typeof Page.Type, ApiError.ApiError | TodoMissing, ApiClient.ApiClient>
    >()
    // @ts-expect-error a request without pagination has no pages
    compiles(() => ApiClient.items(getTodo(1)))
  })

  it("11 a strategy for other pages does not fit", () => {
    const request = ApiRequest.get("/ticks", { success: Page })
    const others = Pagination.cursor({ items: (page: { readonly rows: ReadonlyArray<string> }) => page.rows })
    // @ts-expect-error the request's pages have no rows
    compiles(() => ApiRequest.paginate(request, others))
  })
})
