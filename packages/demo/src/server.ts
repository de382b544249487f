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
export const models = ["demo-large", "demo-small"]

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
    "GET /v1/models": route(() => TestServer.json({ data: models.map((id) => ({ id })) })),
    "GET /v1/models/{id}": route(({ params, url }) =>
      models.includes(params["id"] ?? "")
        ? TestServer.json({ id: params["id"] })
        : refusal(404, "not_found_error", `no model at ${url}`)
    ),
    "POST /v1/messages": route((request) =>
      Schema.decodeUnknown(NewMessage)(request.json).pipe(
        Effect.map(({ messages, model }) =>
          message(model, `You said: ${messages.map(({ content }) => content).join(" ")}`)
        ),
        Effect.catchAll((error) => Effect.succeed(refusal(400, "invalid_request_error", error.message)))
      )
    )
  })
  return { url: seen.url, script: (...replies) => Ref.set(scripted, replies), seen }
})

/** An answer as it should be. */
export const message = (model: string, text: string): TestServer.Reply =>
  TestServer.json({
    id: "msg_1",
    model,
    content: [{ type: "text", text }],
    usage: { input_tokens: 12, output_tokens: text.split(" ").length }
  })

/** An answer with an error status, in the shape APIs of this kind have. */
export const refusal = (
  status: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>> = {}
): TestServer.Reply =>
  TestServer.json(
    { type: "error", error: { type, message } },
    { status, headers: { "request-id": "req_1", ...headers } }
  )
