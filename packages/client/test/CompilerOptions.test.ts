import { setImmediate } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const fixture = `${root}packages/client/test/compilerOptions.ts`

/** A table of requests, each with the type that it must have under any compiler options. */
const source = `
import { ApiClient, ApiRequest, EventStream, Pagination, PromiseClient } from "@effect-api/client"
import { Effect, Schema, Stream } from "effect"

class Todo extends Schema.Class<Todo>("Todo")({ id: Schema.Number, title: Schema.String }) {}
class Missing extends Schema.TaggedError<Missing>()("Missing", { message: Schema.String }) {}
const Page = Schema.Struct({ data: Schema.Array(Todo), has_more: Schema.Boolean })
interface Filter { page: number }
const filter: Filter = { page: 1 }
const events = EventStream.make({ event: Todo, terminal: "[DONE]", error: { schema: Missing } })

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <A>() => <B>(_: B, _equal: Equal<A, B>): void => {}

is<ApiRequest.ApiRequest<unknown, never>>()(ApiRequest.get("/todos"), true)
is<ApiRequest.ApiRequest<unknown, never>>()(ApiRequest.get("/todos", { query: filter, headers: { "x-a": "1" } }), true)
is<ApiRequest.ApiRequest<Todo, never>>()(ApiRequest.get("/todos/{id}", { path: { id: 1 }, success: Todo }), true)
is<ApiRequest.ApiRequest<Todo, Missing>>()(ApiRequest.del("/todos", { success: Todo, failure: { 404: Missing } }), true)
is<ApiRequest.ApiRequest<Todo, never>>()(ApiRequest.post("/todos", { body: { title: "a" }, success: Todo }), true)
is<ApiRequest.ApiRequest<Todo, never>>()(ApiRequest.put("/todos", { body: { id: 1, title: "" }, bodySchema: Todo, success: Todo }), true)
is<ApiRequest.ApiRequest<unknown, never>>()(ApiRequest.patch("/todos", { form: filter }), true)
is<ApiRequest.StreamRequest<Todo, Missing>>()(ApiRequest.get("/events", { events }), true)

const pages = ApiRequest.get("/todos", { success: Page }).pipe(
  ApiRequest.paginate(Pagination.cursor({ items: (page) => page.data }))
)

export const program = Effect.gen(function* () {
  const client = yield* ApiClient.ApiClient
  const todo: Todo = yield* client.get("/todos/{id}", { path: { id: 1 }, success: Todo })
  const made: Todo = yield* ApiClient.post("/todos", { body: todo, success: Todo })
  yield* Stream.runForEach(client.items(pages), ({ title }) => Effect.log(title))
  yield* Stream.runForEach(client.stream(ApiRequest.get("/events", { events })), ({ title }) => Effect.log(title))
  return made.title
})

export const promised = async (client: PromiseClient.PromiseClient) => {
  const { title } = await client.execute(ApiRequest.get("/todos/{id}", { path: { id: 1 }, success: Todo }))
  for await (const todo of client.items(pages)) console.log(todo.title, title)
}
`

/** The declarations are the same for all options, and parsing them is most of the work. */
const parsed = new Map<string, ts.SourceFile>()

const problems = (options: ts.CompilerOptions): ReadonlyArray<string> => {
  const all: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: [
      "lib.es2022.d.ts",
      "lib.dom.d.ts",
      "lib.dom.iterable.d.ts",
      "lib.dom.asynciterable.d.ts",
      "lib.esnext.disposable.d.ts"
    ],
    types: [],
    skipLibCheck: true,
    noEmit: true,
    paths: { "@effect-api/client": [`${root}packages/client/src/index.ts`] },
    ...options
  }
  const host = ts.createCompilerHost(all)
  const { fileExists, getSourceFile, readFile } = host
  host.fileExists = (name) => name === fixture || fileExists(name)
  host.readFile = (name) => (name === fixture ? source : readFile(name))
  host.getSourceFile = (name, ...rest) => {
    const file =
      parsed.get(name) ??
      (name === fixture
        ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022, true)
        : getSourceFile(name, ...rest))
    if (file !== undefined && name.includes("node_modules")) parsed.set(name, file)
    return file
  }
  const program = ts.createProgram([fixture], all, host)
  return program
    .getSemanticDiagnostics(program.getSourceFile(fixture))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))
}

/** The compiler reads every declaration once per row. */
const compilerTimeout = 240_000

describe("a program's compiler options", () => {
  it.each<readonly [name: string, options: ts.CompilerOptions]>([
    ["strict", { strict: true }],
    ["not strict", { strict: false }],
    ["without strictNullChecks", { strict: true, strictNullChecks: false }]
  ])(
    "7 requests have the same types: %s",
    async (_, options) => {
      // Lets the test runner process its own messages first.
      await setImmediate()
      expect(problems(options)).toEqual([])
    },
    compilerTimeout
  )
})
