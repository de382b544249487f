/** The client that blocks, on runtimes that have Node's worker threads. */
import { ApiError, ApiRequest, Credentials, Pagination } from "@effect-api/client"
import { SyncClient } from "@effect-api/node"
import { cases, check, type Stage } from "../suite/Case.js"
import { Echo, Page, Todo, tokens } from "../suite/shapes.js"

type Options = Parameters<SyncClient.SyncClient["withOptions"]>[0]

let shared: SyncClient.SyncClient | undefined

/** A client of this case, on the one thread of the run. Nobody closes it: the program must end all the same. */
const within = async (
  stage: Stage,
  use: (client: SyncClient.SyncClient) => unknown,
  options: Options = {}
): Promise<void> => {
  shared ??= SyncClient.make({ baseUrl: stage.origin })
  await use(shared.withOptions({ baseUrl: stage.base(), retry: { maxRetries: 0 }, ...options }))
}

/** What a call throws. */
const thrown = (call: () => unknown): unknown => {
  try {
    return new Error(`returned ${JSON.stringify(call())}`)
  } catch (cause) {
    return cause
  }
}

const endless = ApiRequest.get("/endless", { events: tokens() })

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

export const blocking = cases("blocking", {
  "a call returns its value, and throws the tagged error": (stage) =>
    within(stage, (client) => {
      check(client.get("/json", { success: Todo }).title === "läuft", "value")
      const error = thrown(() => client.get("/status/404"))
      check(error instanceof ApiError.NotFoundError && error.requestId === "req_404", "error", error)
    }),
  "Retry-After is waited for": (stage) =>
    within(
      stage,
      (client) => {
        const began = Date.now()
        const { attempts } = client.executeWithResponse(ApiRequest.get("/limited", { success: Todo }))
        check(attempts.length === 2 && Date.now() - began >= 950, "attempts", attempts.length)
      },
      { retry: { maxRetries: 2 } }
    ),
  "the response limit ends a call, and closes the connection": (stage) =>
    within(
      stage,
      async (client) => {
        const error = thrown(() => client.get("/hang"))
        check(error instanceof ApiError.TimeoutError && error.phase === "response", "error", error)
        await stage.closes()
      },
      { timeouts: { response: "1 second" } }
    ),
  "a refused connection is of kind refused": (stage) => {
    const { dead } = stage.setting.ports
    return within(stage, (client) => {
      const error = thrown(() => client.withOptions({ baseUrl: `http://127.0.0.1:${dead}` }).get("/"))
      check(error instanceof ApiError.ConnectionError && error.kind === "refused", "error", error)
    })
  },
  "a loop reads the events of a stream to its end": (stage) =>
    within(stage, (client) => {
      const all = [...client.stream(ApiRequest.get("/sse", { events: tokens() }))]
      check(all.map(({ text }) => text).join() === "tök0,tök1,tök2,tök3,tök4", "events", all)
    }),
  "a loop that is left closes the connection": (stage) =>
    within(stage, async (client) => {
      let seen = 0
      for (const _ of client.stream(endless)) if (++seen === 3) break
      await stage.closes()
    }),
  "a loop reads the items of all pages": (stage) =>
    within(stage, (client) => {
      const todos = ApiRequest.get("/pages", { success: Page }).pipe(
        ApiRequest.paginate(Pagination.pageNumber({ items: ({ data }) => data }))
      )
      check([...client.items(todos)].length === 20, "items")
    }),
  "a generator is an upload, and a File is part of a form": (stage) =>
    within(stage, (client) => {
      const source = function* () {
        yield utf8("hel")
        yield utf8("lo")
      }
      const { text } = client.put("/upload", { bodyStream: source, success: Echo })
      check(text === "hello", "body", text)
      const form = { file: new File(["hello file"], "f.txt") }
      const sent = client.post("/upload", { multipart: form, success: Echo })
      check(sent.text.includes("hello file"), "form", sent.text)
    }),
  "a loop reads a download": (stage) =>
    within(stage, (client) => {
      let size = 0
      for (const chunk of client.download("/download", { query: { size: 500_000 } })) size += chunk.length
      check(size === 500_000, "bytes", size)
    }),
  "a client that is closed refuses calls": (stage) => {
    const client = SyncClient.make({ baseUrl: stage.base() })
    client.get("/json")
    client.close()
    const error = thrown(() => client.get("/json"))
    check(error instanceof Error && error.message.includes("closed"), "error", error)
    return Promise.resolve()
  },
  "another origin receives no secret header": (stage) =>
    within(
      stage,
      (client) => {
        const to = `${stage.base(stage.setting.ports.other)}/echo`
        const { headers } = client.get("/redirect/302", { query: { to }, success: Echo })
        check(!JSON.stringify(headers).includes("secret"), "secrets sent", headers)
      },
      { credentials: Credentials.header("x-key", "secret-1") }
    )
})
