import { fileURLToPath } from "node:url"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const fixture = `${root}packages/client/test/displayed.ts`

const source = `
import { ApiClient, ApiRequest, EventStream, Polling, ResponseDecoder } from "@effect-api/client"
import { Effect, Schema } from "effect"

class Todo extends Schema.Class<Todo>("Todo")({ id: Schema.Number, title: Schema.String }) {}
class TodoMissing extends Schema.TaggedError<TodoMissing>()("TodoMissing", { message: Schema.String }) {}

const getTodo = (id: number) =>
  ApiRequest.get("/todos/{id}", { path: { id }, success: Todo, failure: { 404: TodoMissing } })
const listTodos = ApiRequest.get("/todos", { success: Schema.Array(Todo) })
const ping = ApiRequest.get("/ping")
const createTodo = ApiRequest.post("/todos", {
  body: { title: "Buy milk" },
  bodySchema: Schema.Struct({ title: Schema.String }),
  success: Todo
})

const program = ApiClient.execute(getTodo(1))
const plain = ApiClient.execute(listTodos)
const response = ApiClient.executeWithResponse(getTodo(1))
const verb = ApiClient.get("/todos/{id}", { path: { id: 1 }, success: Todo, failure: { 404: TodoMissing } })
const layer = ApiClient.layer({ baseUrl: "https://api.example.com" })
const client = ApiClient.make({ baseUrl: "https://api.example.com" })
class Queued extends Schema.Class<Queued>("Queued")({ job: Schema.String }) {}
class Refused extends Schema.TaggedError<Refused>()("Refused", { code: Schema.String }) {}
const byStatus = ApiRequest.get("/job", { success: { 200: Todo, 202: Queued, 304: ResponseDecoder.empty } })
const byRange = ApiRequest.get("/job", { success: Todo, failure: { 404: TodoMissing, default: Refused } })
const union = ApiClient.execute(byStatus)
const enveloped = ApiClient.make({ baseUrl: "https://api.example.com", failure: { default: Refused } })
const own = Effect.flatMap(enveloped, (client) => client.execute(getTodo(1)))
const piped = ResponseDecoder.text.pipe(ResponseDecoder.andThen(Schema.NumberFromString), ResponseDecoder.map((n) => [n]))
const tagged = EventStream.tagged({ event: { created: Todo, gone: TodoMissing }, terminal: "[DONE]" })
const opened = ApiClient.streamWithResponse(ApiRequest.get("/todos/changes", { events: tagged }))
const polled = Polling.until(getTodo(1), { done: (todo) => todo.title !== "" })
const polling = ApiClient.poll(polled)
const caught = Effect.catchTag(program, "TodoMissing", () => Effect.succeed(undefined))
`

const service = ((): ts.LanguageService => {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: [
      "lib.es2022.d.ts",
      "lib.es2024.string.d.ts",
      "lib.dom.d.ts",
      "lib.dom.iterable.d.ts",
      "lib.dom.asynciterable.d.ts",
      "lib.esnext.disposable.d.ts"
    ],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    noErrorTruncation: true,
    // The sources, so that the test needs no build.
    paths: { "@effect-api/client": [`${root}packages/client/src/index.ts`] }
  }
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => options,
    getScriptFileNames: () => [fixture],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const text = name === fixture ? source : ts.sys.readFile(name)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => name === fixture || ts.sys.fileExists(name),
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: (name) => ts.sys.realpath?.(name) ?? name
  }
  return ts.createLanguageService(host)
})()

/** The text that an editor shows for a name. */
const hover = (name: string): string => {
  const info = service.getQuickInfoAtPosition(fixture, source.indexOf(`const ${name} `) + "const ".length)
  // The order of a union's members depends on the order in which the compiler met them.
  return ts
    .displayPartsToString(info?.displayParts)
    .replace("TodoMissing | ApiError", "ApiError | TodoMissing")
}

const problems = (): ReadonlyArray<string> =>
  service
    .getSemanticDiagnostics(fixture)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))

/** The first query makes the compiler read every declaration. */
const compilerTimeout = 120_000

describe("the types an editor shows", () => {
  it.each([
    ["getTodo", "(id: number) => ApiRequest.ApiRequest<Todo, TodoMissing>"],
    ["listTodos", "ApiRequest.ApiRequest<readonly Todo[], never>"],
    ["createTodo", "ApiRequest.ApiRequest<Todo, never>"],
    ["ping", "ApiRequest.ApiRequest<unknown, never>"],
    ["program", "Effect.Effect<Todo, ApiError | TodoMissing, ApiClient.ApiClient>"],
    ["plain", "Effect.Effect<readonly Todo[], ApiError, ApiClient.ApiClient>"],
    ["response", "Effect.Effect<ApiResponse<Todo>, ApiError | TodoMissing, ApiClient.ApiClient>"],
    ["verb", "Effect.Effect<Todo, ApiError | TodoMissing, ApiClient.ApiClient>"],
    ["layer", "Layer<ApiClient.ApiClient, InvalidConfigError, HttpClient>"],
    ["client", "Effect.Effect<ApiClient.ApiClient, InvalidConfigError, HttpClient>"],
    ["byStatus", "ApiRequest.ApiRequest<void | Todo | Queued, never>"],
    ["byRange", "ApiRequest.ApiRequest<Todo, TodoMissing | Refused>"],
    ["union", "Effect.Effect<void | Todo | Queued, ApiError, ApiClient.ApiClient>"],
    ["enveloped", "Effect.Effect<ApiClient.Client<Refused>, InvalidConfigError, HttpClient>"],
    ["own", "Effect.Effect<Todo, ApiError | TodoMissing | InvalidConfigError | Refused, HttpClient>"],
    ["piped", "ResponseDecoder.ResponseDecoder<number[]>"],
    [
      "tagged",
      'EventStream.EventStream<EventStream.TaggedEvent<"created", Todo> | EventStream.TaggedEvent<"gone", TodoMissing>, never>'
    ],
    [
      "opened",
      'Effect.Effect<StreamResponse<EventStream.TaggedEvent<"created", Todo> | EventStream.TaggedEvent<"gone", TodoMissing>, ApiError>, ApiError, ApiClient.ApiClient | Scope>'
    ],
    ["polled", "Polling.Polling<Todo, Todo, TodoMissing>"],
    [
      "polling",
      "Effect.Effect<Todo, ApiError | TodoMissing | Polling.PollingTimeoutError, ApiClient.ApiClient>"
    ],
    ["caught", "Effect.Effect<Todo | undefined, ApiError, ApiClient.ApiClient>"]
  ])(
    "7 the type of %s is shown as %s",
    (name, type) => {
      expect(hover(name)).toBe(`const ${name}: ${type}`)
    },
    compilerTimeout
  )

  it("7 the program above compiles", () => {
    expect(problems()).toEqual([])
  })
})
