/** Unary calls, retries, errors, limits and interruption. */
import { ApiClient, ApiError, ApiRequest, Credentials } from "@effect-api/client"
import { Effect, Fiber, Redacted, Schema } from "effect"
import { cases, check, type Stage, shown } from "./Case.js"
import { Echo, Todo } from "./shapes.js"

const unary = cases("unary", {
  "a response is decoded by its schema, with status and request id": async (stage) => {
    const { value, status, requestId } = await stage.run(
      ApiClient.executeWithResponse(ApiRequest.get("/json", { success: Todo }))
    )
    check(value.title === "läuft" && status === 200 && requestId === "req_1", "response", { value, status })
  },
  "a POST sends JSON, a query and headers": async (stage) => {
    const echo = await stage.run(
      ApiClient.post("/echo", { body: { a: 1, ü: "ß" }, query: { q: ["a b", "c"] }, success: Echo }),
      { headers: { "x-own": "1" } }
    )
    check(echo.text === '{"a":1,"ü":"ß"}', "body", echo.text)
    check(decodeURIComponent(echo.query) === "?q[]=a b&q[]=c", "query", echo.query)
    check(echo.headers["x-own"] === "1", "header", echo.headers)
    check(echo.headers["content-type"] === "application/json", "content-type", echo.headers)
  },
  "the user-agent is the client's": async (stage) => {
    const { headers } = await stage.run(ApiClient.get("/echo", { success: Echo }))
    check(/^effect-api\//.test(String(headers["user-agent"])), "user-agent", headers["user-agent"])
  },
  "every method arrives, a DELETE with its body": async (stage) => {
    await stage.run(
      Effect.all([
        ApiClient.put("/echo", { body: 1 }),
        ApiClient.patch("/echo", { body: 1 }),
        ApiClient.head("/echo"),
        ApiClient.del("/echo", { body: { a: 1 } })
      ])
    )
    const { requests } = await stage.log()
    const seen = requests.map(({ method, received }) => `${method} ${received}`).join()
    check(seen === "PUT 1,PATCH 1,HEAD 0,DELETE 7", "methods", seen)
  },
  "204 is no body": async (stage) => {
    check((await stage.run(ApiClient.get("/empty"))) === undefined, "should be undefined")
  },
  "a compressed response is decompressed": async (stage) => {
    const { title } = await stage.run(ApiClient.get("/gzip", { success: Todo }))
    check(title.length === 5000, "length", title.length)
  },
  "fifty calls at once": async (stage) => {
    const one = ApiClient.get("/json", { success: Todo })
    const all = Array.from({ length: 50 }, () => one)
    const done = await stage.run(Effect.all(all, { concurrency: "unbounded" }))
    check(done.length === 50, "responses", done.length)
  },
  "an idempotency key is a UUID": async (stage) => {
    const { headers } = await stage.run(ApiClient.post("/echo", { success: Echo }), {
      idempotency: { header: "idempotency-key" }
    })
    const key = String(headers["idempotency-key"])
    check(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(key), "key", key)
  },
  "one token is fetched for calls that wait for it together": async (stage) => {
    const token = Effect.promise(() => fetch(`${stage.base()}/token`).then((response) => response.json()))
    const credentials = Credentials.cached({
      fetch: Effect.map(token, ({ token }) => ({ token: Redacted.make(token), expiresIn: "5 minutes" }))
    })
    const call = ApiClient.get("/echo", { success: Echo })
    const echoes = await stage.run(Effect.all([call, call, call], { concurrency: "unbounded" }), {
      credentials
    })
    const sent = echoes.map(({ headers }) => headers.authorization).join()
    check(sent === "Bearer token-1,Bearer token-1,Bearer token-1", "tokens", sent)
  }
})

/** A connection that has been used is where runtimes send a request again by themselves. */
const sentOnce = async (stage: Stage, op: string): Promise<void> => {
  for (let turn = 1; turn <= 8; turn++) {
    await stage.run(ApiClient.get("/json"))
    await stage.fails(ApiClient.post(op, { body: 1 }))
  }
  const { requests } = await stage.log()
  const sent = requests.filter(({ method }) => method === "POST").length
  check(sent === 8, "8 calls, and requests", sent)
}

const retries = cases("retry", {
  "Retry-After is waited for": async (stage) => {
    const began = Date.now()
    const request = ApiRequest.get("/limited", { success: Todo })
    const { attempts } = await stage.run(ApiClient.executeWithResponse(request), { retry: { maxRetries: 2 } })
    check(attempts.length === 2 && Date.now() - began >= 950, "attempts", {
      attempts: attempts.length,
      millis: Date.now() - began
    })
  },
  "503 twice is retried twice, in milliseconds": async (stage) => {
    const request = ApiRequest.post("/busy", { body: {}, success: Todo })
    const { attempts } = await stage.run(ApiClient.executeWithResponse(request), { retry: { maxRetries: 2 } })
    check(attempts.length === 3, "attempts", attempts.length)
  },
  "a reset connection is retried, and counted": async (stage) => {
    const request = ApiRequest.get("/reset/1", { success: Todo })
    const { attempts } = await stage.run(ApiClient.executeWithResponse(request), {
      retry: { maxRetries: 2, initialDelay: "20 millis" }
    })
    const { requests } = await stage.log()
    check(attempts.length === 2 && requests.length === 2, "attempts and requests", [
      attempts.length,
      requests.length
    ])
  },
  "a POST whose connection is reset is sent once": (stage) => sentOnce(stage, "/reset"),
  "a POST whose connection is closed is sent once": (stage) => sentOnce(stage, "/close")
})

const tags: ReadonlyArray<readonly [status: number, tag: string]> = [
  [400, "BadRequestError"],
  [401, "AuthenticationError"],
  [403, "PermissionDeniedError"],
  [404, "NotFoundError"],
  [409, "ConflictError"],
  [413, "RequestTooLargeError"],
  [418, "UnexpectedStatusError"],
  [422, "UnprocessableEntityError"],
  [429, "RateLimitError"],
  [500, "InternalServerError"],
  [503, "ServiceUnavailableError"],
  [504, "DeadlineExceededError"],
  [529, "OverloadedError"]
]

/** The error of a call that has no connection, as `kind delivery retried`. */
const broken = async (stage: Stage, op: string, baseUrl?: string): Promise<string> => {
  const error = await stage.fails(ApiClient.get(op), {}, baseUrl)
  if (error._tag !== "ConnectionError") return `${error._tag} ${error.message}`
  return `${error.kind} ${error.delivery} ${ApiError.isRetryable(error) ? "retried" : "final"}`
}

const isKind = async (expected: RegExp, stage: Stage, op: string, baseUrl?: string): Promise<void> => {
  const seen = await broken(stage, op, baseUrl)
  check(expected.test(seen), "error", seen)
}

const errors = cases("errors", {
  "every status has its error, with message and request id": async (stage) => {
    for (const [status, tag] of tags) {
      const error = await stage.fails(ApiClient.get(`/status/${status}`))
      check(error._tag === tag && "requestId" in error && error.requestId === `req_${status}`, tag, error)
      check(error.message === `${status} told by the server`, tag, error.message)
    }
  },
  "an error of the caller's own schema": async (stage) => {
    class Gone extends Schema.TaggedError<Gone>()("Gone", {
      error: Schema.Struct({ message: Schema.String })
    }) {}
    const error = await stage.fails(
      ApiClient.execute(ApiRequest.get("/status/404", { failure: { 404: Gone } }))
    )
    check(error instanceof Gone && error.error.message === "told by the server", "error", error)
  },
  "a response that does not fit its schema": async (stage) => {
    const error = await stage.fails(ApiClient.get("/misfit", { success: Todo }))
    check(error._tag === "ResponseValidationError", "error", error)
  },
  "HTML in place of JSON": async (stage) => {
    const error = await stage.fails(ApiClient.get("/html", { success: Todo }))
    check(error._tag === "ResponseValidationError" && error.excerpt.includes("proxy"), "error", error)
  },
  "a refused connection: kind refused, not sent": (stage) =>
    isKind(
      /^refused not-sent retried$/,
      stage,
      "/",
      `http://${stage.setting.host}:${stage.setting.ports.dead}`
    ),
  "an unknown host: kind dns, not sent": (stage) =>
    isKind(/^dns not-sent /, stage, "/", "http://nowhere.invalid"),
  "an unknown certificate: kind tls, not sent, not retried": (stage) =>
    isKind(/^tls not-sent final$/, stage, "/", `https://localhost:${stage.setting.ports.tls}`),
  "a reset connection: kind reset": (stage) => isKind(/^reset maybe-applied /, stage, "/reset"),
  "a connection closed without a response: kind closed or reset": (stage) =>
    isKind(/^(closed|reset) maybe-applied /, stage, "/close"),
  "a response that is not HTTP: a ConnectionError": (stage) =>
    isKind(/^(other|closed|reset) maybe-applied /, stage, "/garbage"),
  "a body cut before its length: kind closed or reset": (stage) =>
    isKind(/^(closed|reset) maybe-applied /, stage, "/cut/length"),
  "a chunked body cut off: kind closed or reset": (stage) =>
    isKind(/^(closed|reset) maybe-applied /, stage, "/cut/chunks")
})

const passes = async (stage: Stage, op: string, phase: "response" | "idle" | "total"): Promise<void> => {
  const error = await stage.fails(ApiClient.get(op), { timeouts: { [phase]: "300 millis" } })
  check(error._tag === "TimeoutError" && error.phase === phase, "error", error)
  await stage.closes()
}

const limits = cases("limits", {
  "the response limit closes the connection": (stage) => passes(stage, "/hang", "response"),
  "the idle limit of a body closes the connection": (stage) => passes(stage, "/slow", "idle"),
  "the total limit closes the connection": (stage) => passes(stage, "/hang", "total")
})

const interrupted = async (stage: Stage, op: string): Promise<void> => {
  const fiber = stage.fork(ApiClient.get(op))
  await stage.arrives()
  const began = Date.now()
  await Effect.runPromise(Fiber.interrupt(fiber))
  check(Date.now() - began < 500, "an interruption took, in ms", Date.now() - began)
  await stage.closes()
}

const interruption = cases("interruption", {
  "before the response, it closes the connection": (stage) => interrupted(stage, "/hang"),
  "in a body, it closes the connection": (stage) => interrupted(stage, "/slow")
})

const redaction = cases("redaction", {
  "an error shows no secret of its request": async (stage) => {
    const request = ApiClient.get("/status/400", {
      query: { api_key: "k-123456" },
      headers: { authorization: "Bearer topsecret" }
    })
    const error = await stage.fails(request, {
      credentials: Credentials.header("x-key", Redacted.make("hush-hush"))
    })
    const text = `${JSON.stringify(error)} ${error.message} ${error.stack} ${error} ${shown(error)}`
    for (const secret of ["k-123456", "hush-hush", "topsecret"])
      check(!text.includes(secret), "a secret is shown", secret)
  },
  "a failed connection shows no parameter that is secret by its name": async (stage) => {
    const { host, ports } = stage.setting
    for (const base of [`http://${host}:${ports.dead}`, "http://nowhere.invalid", `${stage.base()}/reset`]) {
      const error = await stage.fails(ApiClient.get("/x", { query: { api_key: "k-123456" } }), {}, base)
      const text = `${JSON.stringify(error)} ${error.message} ${error.stack} ${error}`
      check(!text.includes("k-123456"), "a secret is shown", text)
    }
  },
  "an error can be written as JSON": async (stage) => {
    const { _tag, message } = JSON.parse(JSON.stringify(await stage.fails(ApiClient.get("/status/400"))))
    check(_tag === "BadRequestError" && message === "400 told by the server", "error", { _tag, message })
  }
})

export const calls = [unary, retries, errors, limits, interruption, redaction].flat()
