/** The client for plain async code. */
import { ApiError, ApiRequest, type PromiseClient } from "@effect-api/client"
import { cases, check, type Stage } from "./Case.js"
import { Todo, tokens } from "./shapes.js"

const endless = ApiRequest.get("/endless", { events: tokens() })

/** What a promise rejects with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => new Error(`resolved with ${JSON.stringify(value)}`),
    (cause: unknown) => cause
  )

const named = (cause: unknown): string => (cause instanceof Error ? cause.name : String(cause))

const withClient = async (
  stage: Stage,
  use: (client: PromiseClient.PromiseClient) => Promise<unknown>
): Promise<void> => {
  const client = stage.promises()
  try {
    await use(client)
  } finally {
    await client.close()
  }
}

export const promises = cases("promises", {
  "a call resolves with its value, and rejects with the tagged error": (stage) =>
    withClient(stage, async (client) => {
      const { id } = await client.execute(ApiRequest.get("/json", { success: Todo }))
      check(id === 1, "value", id)
      const cause = await rejection(client.execute(ApiRequest.get("/status/404")))
      check(cause instanceof ApiError.NotFoundError, "rejection", cause)
    }),
  "a verb of the client resolves with the value": (stage) =>
    withClient(stage, async (client) => {
      const { id } = await client.get("/json", { success: Todo })
      check(id === 1, "value", id)
    }),
  "a download is a Response whose body arrives later": (stage) =>
    withClient(stage, async (client) => {
      const response = await client.download("/download", { query: { size: 200_000 } })
      const { byteLength } = await response.arrayBuffer()
      check(response.status === 200 && byteLength === 200_000, "bytes", byteLength)
    }),
  "a signal ends a download, and closes the connection": (stage) =>
    withClient(stage, async (client) => {
      const controller = new AbortController()
      const { body } = await client.download("/endless", { signal: controller.signal })
      const reader = body?.getReader()
      await reader?.read()
      controller.abort(new Error("enough"))
      const read = async (): Promise<void> => {
        while ((await reader?.read())?.done === false);
      }
      check((await rejection(read())) instanceof Error, "should reject")
      await stage.closes()
    }),
  "a download that is cancelled closes the connection": (stage) =>
    withClient(stage, async (client) => {
      const { body } = await client.download("/endless")
      await body?.cancel()
      await stage.closes()
    }),
  "a signal ends a call with its reason, and closes the connection": (stage) =>
    withClient(stage, async (client) => {
      const controller = new AbortController()
      const call = rejection(client.execute(ApiRequest.get("/hang"), { signal: controller.signal }))
      await stage.arrives()
      const reason = new Error("enough")
      controller.abort(reason)
      check((await call) === reason, "rejection", named(await call))
      await stage.closes()
    }),
  "AbortSignal.timeout ends a call": (stage) =>
    withClient(stage, async (client) => {
      const call = client.execute(ApiRequest.get("/hang"), { signal: AbortSignal.timeout(200) })
      const cause = await rejection(call)
      check(cause instanceof DOMException && cause.name === "TimeoutError", "rejection", named(cause))
    }),
  "a client that is closed ends its calls": async (stage) => {
    const client = stage.promises()
    const call = rejection(client.execute(ApiRequest.get("/hang")))
    await stage.arrives()
    await client.close()
    check(named(await call) === "AbortError", "rejection", named(await call))
    await stage.closes()
  },
  "a client is disposable": async (stage) => {
    const client = stage.promises()
    check(typeof Symbol.asyncDispose === "symbol", "there is no Symbol.asyncDispose")
    const call = rejection(client.execute(ApiRequest.get("/hang")))
    await stage.arrives()
    await client[Symbol.asyncDispose]()
    check(named(await call) === "AbortError", "rejection", named(await call))
  },
  "a loop that is left closes the connection": (stage) =>
    withClient(stage, async (client) => {
      let seen = 0
      for await (const _ of client.stream(endless)) if (++seen === 3) break
      await stage.closes()
    }),
  "a ReadableStream that is cancelled closes the connection": (stage) =>
    withClient(stage, async (client) => {
      const reader = client.stream(endless).toReadableStream().getReader()
      const { value } = await reader.read()
      check(value?.index === 0, "event", value)
      await reader.cancel()
      await stage.closes()
    }),
  "a signal ends a stream": (stage) =>
    withClient(stage, async (client) => {
      const controller = new AbortController()
      const read = async (): Promise<void> => {
        let seen = 0
        for await (const _ of client.stream(endless, { signal: controller.signal }))
          if (++seen === 3) controller.abort()
      }
      const cause = await rejection(read())
      check(named(cause) === "AbortError", "rejection", named(cause))
      await stage.closes()
    })
})
