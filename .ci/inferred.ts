// What programs export without an annotation: their declarations must be able to name each of these types.
import {
  Anthropic,
  AnthropicPromise,
  AsyncTool,
  MessageStream,
  Messages,
  Tool,
  ToolRunner
} from "@effect-api/anthropic"
import {
  ApiClient,
  ApiConfig,
  ApiError,
  ApiRequest,
  ApiResponse,
  ApiSchema,
  Credentials,
  EventStream,
  FetchTransport,
  Middleware,
  NativeTransport,
  Pagination,
  PlatformHeaders,
  PromiseClient,
  ResponseDecoder,
  RetryAfter,
  RetryPolicy,
  ServerSentEvents,
  Timeouts
} from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { AnthropicApi, MockTransport, TestServer } from "@effect-api/testing"
import { Effect, Redacted, Schema, type Stream } from "effect"

class Todo extends Schema.Class<Todo>("Todo")({ id: Schema.Number, title: Schema.String }) {}
class ListFull extends Schema.TaggedError<ListFull>()("ListFull", { message: Schema.String }) {}

export const byNumber = Pagination.pageNumber({ items: (page: ReadonlyArray<Todo>) => page })
export const byCursor = Pagination.cursor({
  items: (page: { readonly data: ReadonlyArray<Todo>; readonly next?: string }) => page.data,
  after: { param: "cursor", cursor: (page) => page.next }
})
export const byOffset = Pagination.offset({ items: (page: ReadonlyArray<Todo>) => page })
export const byToken = Pagination.pageToken({
  items: (page: { readonly data: ReadonlyArray<Todo>; readonly nextPageToken?: string }) => page.data
})
export const byLink = Pagination.linkHeader({ items: (page: ReadonlyArray<Todo>) => page })
export const byHand = Pagination.custom({
  items: (page: ReadonlyArray<Todo>) => page,
  next: () => undefined
})
export const links = Pagination.parseLink("<https://api.example.com/?page=2>; rel=next")

export const events = EventStream.make({ event: Schema.parseJson(Todo) })
export const namedEvents = EventStream.make({
  event: { todo: Schema.parseJson(Todo), text: Schema.String },
  unknown: "pass"
})
export const lines = EventStream.jsonLines(Todo)

export const decoders = {
  json: ResponseDecoder.json,
  text: ResponseDecoder.text,
  bytes: ResponseDecoder.bytes,
  empty: ResponseDecoder.empty,
  auto: ResponseDecoder.auto,
  from: ResponseDecoder.from(Todo),
  fromSchema: ResponseDecoder.fromSchema(Todo),
  stream: ResponseDecoder.stream()
}

export const getTodo = (id: string) => ApiRequest.get("/todos/{id}", { path: { id }, success: Todo })
export const addTodo = (title: string) =>
  ApiRequest.post("/todos", { body: { title }, success: Todo, failure: { 409: ListFull } })
export const putTodo = (id: string) =>
  ApiRequest.put("/todos/{id}", { path: { id }, success: ResponseDecoder.empty })
export const patchTodo = ApiRequest.patch("/todos/1", { success: Todo })
export const deleteTodo = ApiRequest.del("/todos/1", { success: ResponseDecoder.empty })
export const headTodo = ApiRequest.head("/todos/1", { success: ResponseDecoder.empty })
export const download = ApiRequest.get("/file", { success: ResponseDecoder.stream() })
export const watchTodos = ApiRequest.get("/todos/events", { events })
export const allTodos = ApiRequest.get("/todos", { success: Schema.Array(Todo), pagination: byNumber })
export const paged = ApiRequest.get("/todos", { success: Schema.Array(Todo) }).pipe(
  ApiRequest.paginate(byLink)
)

export const keys = {
  bearer: Credentials.bearer(Redacted.make("key")),
  header: Credentials.header("x-api-key", Redacted.make("key")),
  none: Credentials.none
}
export const retry = RetryPolicy.make({ maxRetries: 3 })
export const once = RetryPolicy.none
export const overridden = RetryPolicy.override(retry, { maxRetries: 1 })
export const schedule = RetryPolicy.schedule(retry)
export const hint = RetryAfter.parse({ "retry-after": "1" }, 0)
export const timeouts = Timeouts.defaults
export const headers = PlatformHeaders.make({ prefix: "X-Stainless-", packageVersion: "1.0.0" })
export const passing: Middleware.Middleware = (request, next) => next(request)
export const retryable = Middleware.retryable

export const options = {
  baseUrl: "https://api.example.com",
  credentials: keys.bearer,
  retry,
  middleware: [passing]
}
export const live = ApiClient.layer(options)
export const client = ApiClient.make(options)
export const other = ApiClient.withOptions({ retry: { maxRetries: 0 } })
export const promises = PromiseClient.make(options)
export const calls = {
  todo: ApiClient.execute(getTodo("1")),
  added: ApiClient.execute(addTodo("Buy milk")),
  response: ApiClient.executeWithResponse(getTodo("1")),
  events: ApiClient.stream(watchTodos),
  pages: ApiClient.pages(allTodos),
  items: ApiClient.items(allTodos),
  direct: ApiClient.get("/todos/1", { success: Todo }),
  prepared: ApiClient.prepare(getTodo("1")),
  platform: ApiClient.layerHttpClient
}
export const recovered = calls.added.pipe(
  Effect.catchTag("RateLimitError", (error) => Effect.succeed(error.retryAfter)),
  Effect.catchIf(ApiError.isStatusError, (error) => Effect.succeed(error))
)
export const async = {
  todo: () => promises.execute(getTodo("1")),
  response: () => promises.executeWithResponse(getTodo("1")),
  events: () => promises.stream(watchTodos),
  items: () => promises.items(allTodos)
}
export const decodedEvents = (bytes: Stream.Stream<Uint8Array>) => ServerSentEvents.decode(bytes)
export const parser = ServerSentEvents.makeDecoder()
export const transport = FetchTransport.layer
export const native = FetchTransport.make()
export const attached = NativeTransport.attach
export const isResponse = ApiResponse
export const schemas = ApiSchema
export const settings = ApiConfig

const question = {
  model: "claude-sonnet-5",
  max_tokens: 100,
  messages: [{ role: "user", content: "How warm is it?" }]
} as const
export const weather = Tool.make({
  name: "weather",
  input: Schema.Struct({ place: Schema.String }),
  run: ({ place }) => Effect.succeed(`rain in ${place}`)
})
export const asyncWeather = AsyncTool.make({
  name: "weather",
  input: Schema.Struct({ place: Schema.String }),
  run: async ({ place }) => `rain in ${place}`
})
export const message = Messages.create(question)
export const spoken = Messages.stream(question)
export const conversation = Effect.gen(function* () {
  const anthropic = yield* Anthropic.Anthropic
  return yield* ToolRunner.finalMessage(anthropic.messages, question, { tools: [weather] })
})
export const toText = MessageStream.textDeltas
export const anthropicLive = Anthropic.layer({ apiKey: Redacted.make("key") })
export const anthropicPromise = AnthropicPromise.make({ apiKey: "key" })
export const node = NodeTransport.layerWith({ connections: 4 })
export const server = TestServer.layer({ "GET /todos": TestServer.json([]) })
export const mock = MockTransport.layer([MockTransport.json([])])
export const api = AnthropicApi.layer({ script: "warm" })
