import type { IncomingMessage, ServerResponse } from "node:http"
import { Cause, Effect, Stream } from "effect"
import { collect, fromIterator, noBytes } from "../shared/bytes.js"
import { checkReply, type Handler, isStreaming, type Step, StreamingTypeId } from "./Handler.js"
import { isReply, type Reply, text } from "./Reply.js"
import type { Router } from "./router.js"
import { SeenRequest } from "./SeenRequest.js"
import { breakOff, send } from "./send.js"
import type { Connection, Entry, ServerState } from "./serverState.js"

const pairs = (flat: ReadonlyArray<string>): ReadonlyArray<readonly [string, string]> =>
  Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? "", flat[2 * at + 1] ?? ""] as const)

const joinHeaders = (raw: ReadonlyArray<readonly [string, string]>): Readonly<Record<string, string>> => {
  const joined = new Map<string, string>()
  for (const [name, value] of raw) {
    const key = name.toLowerCase()
    const before = joined.get(key)
    joined.set(key, before === undefined ? value : `${before}${key === "cookie" ? "; " : ", "}${value}`)
  }
  return Object.fromEntries(joined)
}

/** Reads the head of a request. The target is kept as sent; `path` excludes the origin of a proxy's absolute form. */
export const readHead = (request: IncomingMessage, index: number, connection: Connection): SeenRequest => {
  const url = request.url ?? ""
  const rawHeaders = pairs(request.rawHeaders)
  const [path = "", ...query] = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, "").split("?")
  return new SeenRequest({
    index,
    socketId: connection.id,
    method: request.method ?? "",
    url,
    path,
    query: new URLSearchParams(query.join("?")),
    params: {},
    headers: joinHeaders(rawHeaders),
    rawHeaders,
    body: noBytes
  })
}

const isList = <R>(handler: Handler<R>): handler is ReadonlyArray<Step<R>> => Array.isArray(handler)

const nextStep = <R>(handler: Handler<R>, state: ServerState): Step<R> => {
  if (!isList(handler)) return handler
  const count = state.stepCounts.get(handler) ?? 0
  state.stepCounts.set(handler, count + 1)
  const step = handler[Math.min(count, handler.length - 1)]
  if (step === undefined) throw new Error("TestServer: this route has an empty list of steps")
  return step
}

const replyOf = <R>(
  step: Step<R>,
  request: SeenRequest,
  body: Stream.Stream<Uint8Array>
): Effect.Effect<Reply, unknown, R> =>
  Effect.suspend(() => {
    const leaving = new AbortController()
    const result = isStreaming<R>(step)
      ? step[StreamingTypeId](request, body, leaving.signal)
      : typeof step === "function"
        ? step(request, leaving.signal)
        : step
    if (isReply(result)) return Effect.succeed(result)
    const running = Effect.isEffect(result)
      ? result
      : Effect.tryPromise({ try: async () => result, catch: (error) => error })
    return running.pipe(
      Effect.onInterrupt(() => Effect.sync(() => leaving.abort())),
      Effect.flatMap((made) => checkReply(request, made))
    )
  })

const noRoute = (request: SeenRequest): Reply =>
  text(`TestServer has no route for ${request.method} ${request.path}`, { status: 404 })

/** Handles one request. It always ends with a reply or with the socket. */
export const serve = <R>(
  state: ServerState,
  router: Router<R>,
  entry: Entry,
  request: IncomingMessage,
  response: ServerResponse
): Effect.Effect<void, never, R> => {
  // A truncated body closes its socket, which interrupts this fiber.
  const body: Stream.Stream<Uint8Array> = fromIterator<Uint8Array>(() =>
    request.iterator({ destroyOnReturn: false })
  ).pipe(
    Stream.tap((bytes) =>
      Effect.sync(() => {
        entry.bytesReceived += bytes.length
        state.changes.notify()
      })
    ),
    Stream.catchAll(() => Stream.never)
  )

  const receive = (params: SeenRequest["params"], bytes: Uint8Array): SeenRequest => {
    entry.request = new SeenRequest({ ...entry.request, params, body: bytes })
    // After a reset the log no longer contains this exchange.
    if (state.entries.includes(entry)) state.handled.push(entry.request)
    state.changes.notify()
    return entry.request
  }

  const fail = (cause: Cause.Cause<unknown>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const failure = Cause.squash(cause)
      entry.failure = failure
      state.changes.notify()
      if (response.headersSent) return breakOff("reset", entry)
      const message = failure instanceof Error ? failure.message : String(failure)
      return Effect.ignore(
        send(text(`TestServer handler failed: ${message}`, { status: 500 }), state, entry, response)
      )
    })

  return Effect.gen(function* () {
    const found = router(entry.request.method, entry.request.path)
    const step = found === undefined ? noRoute(entry.request) : nextStep(found.handler, state)
    const bytes = isStreaming<R>(step) ? noBytes : yield* collect(body)
    const reply = yield* replyOf(step, receive(found?.params ?? {}, bytes), body)
    yield* send(reply, state, entry, response)
    // Node discards a body only if nobody has begun to read it.
    request.resume()
  }).pipe(Effect.catchAllCause(fail))
}
