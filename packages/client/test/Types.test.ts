import type { HttpClient, HttpClientRequest } from "@effect/platform"
import { FetchHttpClient } from "@effect/platform"
import {
  ApiClient,
  type ApiConfig,
  ApiError,
  ApiRequest,
  type ApiResponse,
  Credentials,
  EventStream,
  Pagination,
  Polling,
  ResponseDecoder,
  RetryPolicy,
  type ServerSentEvents,
  Signing,
  Tokens
} from "@effect-api/client"
import {
  Config,
  type ConfigError,
  Context,
  type DateTime,
  Effect,
  Layer,
  Redacted,
  Schedule,
  Schema,
  type Stream
} from "effect"
import * as v from "valibot"
import { describe, expectTypeOf, it } from "vitest"
import { z } from "zod"
import type { PathNames } from "../src/request/RequestOptions.js"
import { getTodo, Todo, TodoMissing } from "./fixtures/requests.js"

/**
 * Every line below is checked by the compiler. A line that must not compile is marked; the others are never run.
 */
const compiles = (_: () => unknown) => expectTypeOf(_).toBeFunction()

type Failed<A> = A extends Effect.Effect<infer _A, infer E, infer _R> ? E : never

describe("the result of a call", () => {
  it("7 value, errors and requirement of execute", () => {
    const program = ApiClient.execute(getTodo(1))
    expectTypeOf(program).toEqualTypeOf<
      Effect.Effect<Todo, ApiError.ApiError | TodoMissing, ApiClient.ApiClient>
    >()
    expectTypeOf(ApiClient.executeWithResponse(getTodo(1))).toEqualTypeOf<
      Effect.Effect<ApiResponse.ApiResponse<Todo>, ApiError.ApiError | TodoMissing, ApiClient.ApiClient>
    >()
  })

  it("7 value, progress and errors of a polling", () => {
    const Running = Schema.Struct({ status: Schema.Literal("running"), percent: Schema.Number })
    const Done = Schema.Struct({ status: Schema.Literal("done"), url: Schema.String })
    type Job = typeof Running.Type | typeof Done.Type
    const request = ApiRequest.get("/jobs/1", {
      success: Schema.Union(Running, Done),
      failure: { 404: TodoMissing }
    })
    type Ended = ApiError.ApiError | Polling.PollingTimeoutError | TodoMissing
    // The test narrows the value.
    const narrowed = Polling.until(request, { done: (job) => job.status === "done" })
    expectTypeOf(narrowed).toEqualTypeOf<Polling.Polling<typeof Done.Type, Job, TodoMissing>>()
    expectTypeOf(ApiClient.poll(narrowed)).toEqualTypeOf<
      Effect.Effect<typeof Done.Type, Ended, ApiClient.ApiClient>
    >()
    const shown = Polling.until(request, {
      done: (job, { headers }) => job.status === "done" && headers["x-ready"] !== undefined,
      progress: (_job, { attempts }) => attempts.length
    })
    expectTypeOf(ApiClient.watch(shown)).toEqualTypeOf<Stream.Stream<number, Ended, ApiClient.ApiClient>>()
    const failing = Polling.until(request, {
      done: (job) => (job.status === "done" ? Effect.succeed(true) : Effect.fail("failed" as const))
    })
    expectTypeOf(failing).toEqualTypeOf<Polling.Polling<Job, Job, TodoMissing | "failed">>()
    const started = Polling.operation(ApiRequest.post("/jobs"), request)
    expectTypeOf(started).toEqualTypeOf<Polling.Polling<Job, Job, TodoMissing>>()
    compiles(() => {
      // @ts-expect-error: a request that is polled needs to know when it is done
      Polling.until(request, {})
      // @ts-expect-error: no such option
      Polling.until(request, { done: () => true, interval: 5 })
    })
  })

  it("7 the client's own methods have no requirement", () => {
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

  it("7 a caught tag is removed", () => {
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

  it("1 layers have their requirement and their error", () => {
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
  it("7 the table and the union have the same tags", () => {
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

  it("7.1 status errors have a status and a body", () => {
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
  it("2.3 a template's names are required options", () => {
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
      // @ts-expect-error a path for a template without names
      ApiRequest.get("/todos", { path: { id: 1 } }),
      // @ts-expect-error null is not a segment
      ApiRequest.get("/todos/{id}", { path: { id: null } }),
      // @ts-expect-error an object is not a segment
      ApiRequest.get("/todos/{id}", { path: { id: { a: 1 } } }),
      // @ts-expect-error undefined is not a segment
      ApiRequest.post("/todos/{id}", { path: { id: undefined } })
    ])
  })

  it("2.4 a template's operators decide which names are required, optional or lists", () => {
    expectTypeOf<PathNames<"/{bucket}/{+key}{/a,b*}{?q*,page}{&x}">>().toEqualTypeOf<
      "bucket" | "key" | "a" | "b" | "q" | "page" | "x"
    >()
    compiles(() => [
      ApiRequest.get("/{bucket}/{+key}", { path: { bucket: "b", key: "a/b" } }),
      ApiRequest.get("/map/{lat,lng}", { path: { lat: 1, lng: 2 } }),
      ApiRequest.get("/todos{/id}"),
      ApiRequest.get("/todos{/id}", { path: {} }),
      ApiRequest.get("/todos{/id}{?q,tags*}", { path: { id: undefined, q: "x", tags: ["a", 1] } }),
      ApiRequest.get("/{user}/todos{/id}", { path: { user: 1 } }),
      ApiClient.get("/todos{?q}", { path: { q: "x" } }),
      // @ts-expect-error missing options
      ApiRequest.get("/{+key}"),
      // @ts-expect-error missing name
      ApiRequest.get("/{bucket}/{+key}", { path: { bucket: "b" } }),
      // @ts-expect-error the operator is no part of the name
      ApiRequest.get("/{+key}", { path: { "+key": "b" } }),
      // @ts-expect-error a list is not one value
      ApiRequest.get("/{+key}", { path: { key: ["a", "b"] } }),
      // @ts-expect-error misspelt name
      ApiRequest.get("/todos{/id}", { path: { ids: 1 } }),
      // @ts-expect-error null is not a segment
      ApiRequest.get("/todos{/id}", { path: { id: null } }),
      // @ts-expect-error a required name beside an optional one
      ApiRequest.get("/{user}/todos{/id}", { path: { id: 1 } })
    ])
  })

  it("3.3 path and query have the types of their schemas", () => {
    const Id = Schema.Struct({ id: Schema.NumberFromString })
    const Filter = Schema.Struct({
      since: Schema.DateTimeUtc,
      limit: Schema.optional(Schema.NumberFromString)
    })
    compiles((since: DateTime.Utc = {} as never, client: ApiClient.ApiClient = {} as never) => [
      ApiRequest.get("/todos/{id}", {
        path: { id: 1 },
        pathSchema: Id,
        query: { since },
        querySchema: Filter
      }),
      ApiRequest.post("/todos", { query: { since, limit: 1 }, querySchema: Filter, body: 1 }),
      client.get("/todos/{id}", { path: { id: 1 }, pathSchema: Id }),
      ApiClient.post("/todos", { query: { since }, querySchema: Filter }),
      ApiClient.get("/todos", { query: { since }, querySchema: Filter }),
      // @ts-expect-error not the schema's type
      ApiRequest.get("/todos/{id}", { path: { id: "1" }, pathSchema: Id }),
      // @ts-expect-error a field of another type
      ApiRequest.get("/todos", { query: { since, limit: "1" }, querySchema: Filter }),
      // @ts-expect-error missing field
      ApiRequest.get("/todos", { query: { limit: 1 }, querySchema: Filter }),
      // @ts-expect-error missing query
      ApiRequest.get("/todos", { querySchema: Filter }),
      // @ts-expect-error no query can hold it without a schema
      ApiRequest.get("/todos", { query: { since: () => 1 } })
    ])
  })

  it("2.3 a client's verbs have the same types", () => {
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
  it("5 misspelt and misplaced options do not compile", () => {
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
      // @ts-expect-error an object is not a header
      ApiRequest.get("/todos", { headers: { "x-a": { b: 1 } } }),
      // @ts-expect-error a function is not a query value
      ApiRequest.get("/todos", { query: { a: () => 1 } }),
      // @ts-expect-error a schema that needs a service
      ApiRequest.get("/todos", { success: NeedsService })
    ])
  })

  it("4.5 credentials of a request, of an effect and of a refresh token", () => {
    const bearer = Credentials.bearer(Redacted.make("s"))
    compiles(() => [
      ApiRequest.get("/todos", { credentials: bearer }),
      ApiRequest.override(getTodo(1), { credentials: Credentials.none }),
      // @ts-expect-error a token is no Credentials
      ApiRequest.get("/todos", { credentials: Redacted.make("s") }),
      // @ts-expect-error no function of the client's
      ApiRequest.get("/todos", { credentials: () => bearer }),
      Credentials.effect(Effect.succeed(Redacted.make("s")), {
        invalidate: (refused) => {
          expectTypeOf(refused).toEqualTypeOf<Redacted.Redacted<string>>()
          return Effect.fail("no")
        }
      }),
      Tokens.refreshing({
        store: { get: Effect.succeed(Redacted.make("r")), set: () => Effect.void },
        refresh: () => Effect.fail(new TodoMissing({ message: "no" })),
        isRefused: (error) => {
          expectTypeOf(error).toEqualTypeOf<TodoMissing>()
          return true
        }
      }),
      Signing.credentials(({ body }) => {
        expectTypeOf(body).toEqualTypeOf<Uint8Array | undefined>()
        return Effect.succeed({ "x-signature": Redacted.make("s"), "x-at": 1 })
      })
    ])
  })

  it("5.1 a body must fit its schema", () => {
    const bodySchema = Schema.Struct({ at: Schema.Date, tags: Schema.Array(Schema.String) })
    compiles(() => [
      ApiRequest.post("/x", { body: { at: new Date(0), tags: [] }, bodySchema }),
      ApiRequest.post("/x", { body: { anything: [1, null] } }),
      // @ts-expect-error the encoded type
      ApiRequest.post("/x", { body: { at: "1970-01-01", tags: [] }, bodySchema }),
      // @ts-expect-error missing field
      ApiRequest.post("/x", { body: { at: new Date(0) }, bodySchema }),
      // @ts-expect-error another type
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

  it("3.1 interfaces with valid members are valid queries, forms and headers", () => {
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
      // @ts-expect-error a function is not a query value
      ApiRequest.get("/x", { query: wrong }),
      // @ts-expect-error a function is not a form value
      ApiRequest.post("/x", { form: wrong }),
      // @ts-expect-error a missing await
      ApiRequest.get("/x", { query: waiting }),
      // @ts-expect-error an invalid nested value
      ApiRequest.get("/x", { query: { filter: { waiting } } }),
      // @ts-expect-error a header must be text
      ApiRequest.get("/x", { headers: wrong }),
      // @ts-expect-error another value
      ApiRequest.get("/x", { query: new Map([["a", 1]]) }),
      // @ts-expect-error a promise of headers
      ApiRequest.get("/x", { query: Promise.resolve({ a: 1 }) }),
      // @ts-expect-error text is not a query
      ApiRequest.get("/x", { query: "a=1" })
    ])
  })

  it("1.4 the options of withOptions and override", () => {
    compiles((client: ApiClient.ApiClient = {} as never) => [
      client.withOptions({ retry: { maxRetries: 1 }, middleware: (old) => old.slice(1) }),
      client.withOptions({ retry: ({ schedule }) => Schedule.upTo(schedule, "1 minute") }),
      client.withOptions({ headers: new Headers(), timeouts: (old) => ({ ...old, total: "1 second" }) }),
      ApiRequest.override(getTodo(1), { retry: () => RetryPolicy.none, query: (old) => ({ ...old, a: 1 }) }),
      // @ts-expect-error a setting that does not merge
      client.withOptions({ redirects: () => 1 }),
      // @ts-expect-error another type
      client.withOptions({ timeouts: () => 1 }),
      // @ts-expect-error a client as the base
      ApiClient.layer({ baseUrl: "https://api.test", headers: () => ({}) })
    ])
  })

  it("1 the options of a client", () => {
    const baseUrl = "https://api.test"
    const whileValid = Schedule.whileInput(Schedule.forever, (at: Date) => at.getTime() > 0)
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
      // @ts-expect-error misspelt nested option
      ApiClient.layer({ baseUrl, timeouts: { conect: 1 } }),
      ApiClient.layer({ baseUrl, credentials: Credentials.bearer("token") }),
      // @ts-expect-error not credentials
      ApiClient.layer({ baseUrl, credentials: Redacted.make("token") }),
      // @ts-expect-error a schedule of other errors
      ApiClient.layer({ baseUrl, retry: whileValid }),
      // @ts-expect-error unknown format
      ApiClient.layer({ baseUrl, queryFormat: { arrays: "pipes" } })
    ])
  })
})

class Service extends Context.Tag("Service")<Service, { readonly word: string }>() {}
const NeedsService = Schema.transformOrFail(Schema.String, Schema.String, {
  decode: (text) => Effect.map(Service, ({ word }) => text + word),
  encode: (text) => Effect.succeed(text)
})

describe("decoders", () => {
  const value = <A, E>(_: ApiRequest.ApiRequest<A, E>): A => undefined as A

  it("8.4 schemas and decoders have their type", () => {
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

  it("8.4 Standard Schemas have their output type", () => {
    const coerced = z.object({ at: z.string().transform((text) => new Date(text)) })
    expectTypeOf(value(ApiRequest.get("/x", { success: coerced }))).toEqualTypeOf<{ at: Date }>()
    const piped = v.object({ n: v.pipe(v.string(), v.transform(Number)) })
    expectTypeOf(value(ApiRequest.get("/x", { success: piped }))).toEqualTypeOf<{ n: number }>()
    const standard = Schema.standardSchemaV1(Todo)
    expectTypeOf(value(ApiRequest.get("/x", { success: standard }))).toEqualTypeOf<Todo>()
  })

  it("8.4 functions that return a result have its type", () => {
    const success = ResponseDecoder.fromEither(Schema.decodeUnknownEither(Todo))
    expectTypeOf(value(ApiRequest.get("/x", { success }))).toEqualTypeOf<Todo>()
  })

  it("1.4 override keeps the request's result type", () => {
    expectTypeOf(ApiRequest.override(getTodo(1), { retry: RetryPolicy.none })).toEqualTypeOf(getTodo(1))
    expectTypeOf(getTodo(1).pipe(ApiRequest.override({ timeouts: { total: 1 } }))).toEqualTypeOf(getTodo(1))
    // @ts-expect-error the result type cannot be overridden
    compiles(() => ApiRequest.override(getTodo(1), { success: Todo }))
  })
})

describe("failures", () => {
  it("7.5 failure has statuses as keys", () => {
    // @ts-expect-error `missing` is not a status
    compiles(() => ApiRequest.get("/todos", { failure: { missing: TodoMissing } }))
  })
})

describe("streams and pages", () => {
  const Tick = Schema.Struct({ n: Schema.Number })
  const Page = Schema.Struct({ data: Schema.Array(Tick), has_more: Schema.Boolean })

  it("10 a stream has its contract's value type and the errors of both", () => {
    const request = ApiRequest.get("/ticks", {
      failure: { 404: TodoMissing },
      events: EventStream.make({ event: Tick, terminal: (tick) => tick.n === 9 })
    })
    expectTypeOf(request).toEqualTypeOf<ApiRequest.StreamRequest<typeof Tick.Type, TodoMissing>>()
    expectTypeOf(ApiClient.stream(request)).toEqualTypeOf<
      Stream.Stream<typeof Tick.Type, ApiError.ApiError | TodoMissing, ApiClient.ApiClient>
    >()
  })

  it('10 a record of events has the union of its types, and raw events with unknown: "pass"', () => {
    const contract = EventStream.make({ event: { tick: Tick, page: Page }, unknown: "pass" })
    expectTypeOf(contract).toEqualTypeOf<
      EventStream.EventStream<typeof Tick.Type | typeof Page.Type | ServerSentEvents.ServerSentEvent, never>
    >()
  })

  it("10 a stream request cannot be executed, and another request cannot be streamed", () => {
    const request = ApiRequest.get("/ticks", { events: EventStream.make({ event: Tick }) })
    // @ts-expect-error a stream has no single value
    compiles(() => ApiClient.execute(request))
    // @ts-expect-error a request without events cannot be streamed
    compiles(() => ApiClient.stream(getTodo(1)))
  })

  it("11 pages and items have the page's type", () => {
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

  it("11 a pagination rule must fit the page", () => {
    const request = ApiRequest.get("/ticks", { success: Page })
    const others = Pagination.cursor({ items: (page: { readonly rows: ReadonlyArray<string> }) => page.rows })
    // @ts-expect-error the page has no rows
    compiles(() => ApiRequest.paginate(request, others))
  })
})
