/**
 * The API the demo talks to unless it is given another: real HTTP on a loopback port, and any fault on demand.
 *
 * @since 0.1.0
 */
import { TestServer } from "@effect-api/testing"
import { Effect, Ref, Schema, type Scope } from "effect"
import { NewMessage } from "./Messages.js"

/** The running API, and what a section may ask of it. */
export interface DemoServer {
  readonly url: string
  /** What it answers next, one reply a request; after these it behaves again. */
  readonly script: (...replies: ReadonlyArray<TestServer.Reply>) => Effect.Effect<void>
  /** What arrived so far, and how to wait for more. */
  readonly seen: TestServer.TestServer
}

/** The models it offers. */
export const models = ["demo-large", "demo-small", "demo-mini", "demo-nano", "demo-old"]

/** Starts the API; it closes with the scope. */
export const make: Effect.Effect<DemoServer, never, Scope.Scope> = Effect.gen(function* () {
  const scripted = yield* Ref.make<ReadonlyArray<TestServer.Reply>>([])

  const route = (answer: (request: TestServer.SeenRequest) => TestServer.Answer) => {
    const behave = (request: TestServer.SeenRequest): TestServer.Answer =>
      request.headers["x-api-key"] === undefined
        ? refusal(401, "authentication_error", "no x-api-key header")
        : answer(request)
    return (request: TestServer.SeenRequest) =>
      Effect.flatMap(
        Ref.modify(scripted, ([next, ...later]) => [next, later]),
        (next) => {
          const reply = next ?? behave(request)
          return Effect.isEffect(reply) ? reply : Effect.succeed(reply)
        }
      )
  }

  const seen = yield* TestServer.make({
    "GET /v1/models": route(({ query }) => page(Number(query.get("limit") ?? 20), query.get("after_id"))),
    "GET /v1/models/{id}": route(({ params, url }) =>
      models.includes(params["id"] ?? "")
        ? TestServer.json({ id: params["id"] })
        : refusal(404, "not_found_error", `no model at ${url}`)
    ),
    "POST /v1/messages": route((request) =>
      Schema.decodeUnknown(NewMessage)(request.json).pipe(
        Effect.map(({ messages, model, stream }) => {
          const text = `You said: ${messages.map(({ content }) => content).join(" ")}`
          return stream === true
            ? streaming(started(model), ping, ...pieces(text), stopped)
            : message(model, text)
        }),
        Effect.catchAll((error) => Effect.succeed(refusal(400, "invalid_request_error", error.message)))
      )
    )
  })
  return { url: seen.url, script: (...replies) => Ref.set(scripted, replies), seen }
})

const page = (limit: number, after: string | null): TestServer.Reply => {
  const first = after === null ? 0 : models.indexOf(after) + 1
  const ids = models.slice(first, first + limit)
  const data = ids.map((id) => ({ id }))
  return TestServer.json({ data, has_more: first + limit < models.length, last_id: ids.at(-1) ?? null })
}

/** An answer as it should be. */
export const message = (model: string, text: string): TestServer.Reply =>
  TestServer.json({
    id: "msg_1",
    model,
    content: [{ type: "text", text }],
    usage: { input_tokens: 12, output_tokens: text.split(" ").length }
  })

/** An answer that is told event by event, each a moment after the other. */
export const streaming = (...events: ReadonlyArray<{ readonly type: string }>): TestServer.Reply =>
  TestServer.chunks(
    events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
    { headers: { "content-type": "text/event-stream", "request-id": "req_1" }, delay: "20 millis" }
  )

/** How an answer begins, what it is told in, and how it ends. */
export const started = (model: string) => ({ type: "message_start", message: { id: "msg_1", model } })
export const pieces = (text: string) =>
  text
    .split(/(?= )/)
    .map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }))
export const stopped = { type: "message_stop" }

const ping = { type: "ping" }

/** An error behind a status that said success. */
export const failed = (type: string, message: string) => ({ type: "error", error: { type, message } })

/** An answer with an error status, in the shape APIs of this kind have. */
export const refusal = (
  status: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>> = {}
): TestServer.Reply =>
  TestServer.json(failed(type, message), { status, headers: { "request-id": "req_1", ...headers } })
