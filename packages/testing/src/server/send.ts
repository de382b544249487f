import type { ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { Duration, Effect, Predicate, Stream } from "effect"
import { fromIterator, toBytes } from "../shared/bytes.js"
import type { Chunks, Cut, Reply } from "./Reply.js"
import { close, type Entry, type ServerState } from "./serverState.js"

/** The longest that a timer takes: 24 days. With more it would end at once. */
const mostMillis = 2 ** 31 - 1

/** Sleeps in real time, whatever the `Clock`: the client at the other end of the socket has no test clock. */
const sleep = (delay: Duration.Duration): Effect.Effect<void> => {
  const millis = Duration.toMillis(delay)
  if (millis <= 0) return Effect.void
  if (millis === Number.POSITIVE_INFINITY) return Effect.never
  return Effect.async((resume) => {
    const timer = setTimeout(() => resume(Effect.void), Math.min(millis, mostMillis))
    return Effect.sync(() => clearTimeout(timer))
  })
}

/**
 * Corks the socket until the end of the turn, as Node does itself. Since Node 24 a response also merges the writes of a turn
 * into one chunk, unless the socket is already corked.
 */
const corkForTurn = (socket: Socket): void => {
  if (socket.writableCorked > 0) return
  socket.cork()
  process.nextTick(() => socket.uncork())
}

const write = (out: ServerResponse | Socket, socket: Socket, bytes: Uint8Array): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (bytes.length === 0) return Effect.void
    corkForTurn(socket)
    if (out.write(bytes)) return Effect.void
    return Effect.async((resume) => {
      const drained = (): void => resume(Effect.void)
      out.once("drain", drained)
      return Effect.sync(() => {
        out.off("drain", drained)
      })
    })
  })

/** Waits until the socket has passed all written bytes to the operating system. */
const flushed = (socket: Socket): Effect.Effect<void> =>
  Effect.async((resume) => {
    socket.write("", () => resume(Effect.void))
  })

/**
 * Lets the client read before the RST arrives. If both happen in the same turn, libuv reports an orderly end. The timer helps a
 * client in another thread or process, and the immediate helps one in this event loop.
 */
const clientHasRead: Effect.Effect<void> = Effect.zipRight(
  sleep(Duration.millis(2)),
  Effect.async((resume) => {
    const turn = setImmediate(() => resume(Effect.void))
    return Effect.sync(() => clearImmediate(turn))
  })
)

const cutOff = (by: Cut["by"], entry: Entry): Effect.Effect<void> =>
  by === "stall" ? Effect.never : Effect.sync(() => close(entry.connection, by))

/** Breaks off a reply that has started. */
export const breakOff = (by: Cut["by"], entry: Entry): Effect.Effect<void> =>
  flushed(entry.connection.socket).pipe(
    Effect.zipRight(by === "reset" ? clientHasRead : Effect.void),
    Effect.zipRight(cutOff(by, entry))
  )

const finished = (response: ServerResponse): Effect.Effect<void> =>
  Effect.async((resume) => {
    response.end(() => resume(Effect.void))
  })

type Chunk = string | Uint8Array

const isStream = (body: Chunks): body is Stream.Stream<Chunk, unknown> =>
  Predicate.hasProperty(body, Stream.StreamTypeId)

const isAsync = (chunks: Iterable<Chunk> | AsyncIterable<Chunk>): chunks is AsyncIterable<Chunk> =>
  Predicate.hasProperty(chunks, Symbol.asyncIterator)

const toStream = (body: Uint8Array | Chunks): Stream.Stream<Chunk, unknown> => {
  if (body instanceof Uint8Array) return Stream.succeed(body)
  if (isStream(body)) return body
  return fromIterator<Chunk>(() => {
    const chunks = typeof body === "function" ? body() : body
    return isAsync(chunks) ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  })
}

/** Responses without a body, whatever their headers (RFC 9110, 6.4.1). */
const isBodyless = (status: number): boolean => status < 200 || status === 204 || status === 304

const hasBody = (reply: Reply, entry: Entry): boolean =>
  reply.wire === "raw" || (entry.request.method !== "HEAD" && !isBodyless(reply.status))

const sendHead = (reply: Reply, response: ServerResponse): void => {
  const headers = Object.fromEntries(
    Object.entries(reply.headers).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === "string" ? value : [...value]
    ])
  )
  if (
    reply.body instanceof Uint8Array &&
    !isBodyless(reply.status) &&
    headers["transfer-encoding"] === undefined
  ) {
    headers["content-length"] ??= String(reply.body.length)
  }
  if (reply.contentLength !== undefined) headers["content-length"] = String(reply.contentLength)
  if (reply.statusText === undefined) response.writeHead(reply.status, headers)
  else response.writeHead(reply.status, reply.statusText, headers)
  response.flushHeaders()
}

const sendBody = (
  reply: Reply,
  state: ServerState,
  entry: Entry,
  out: ServerResponse | Socket
): Effect.Effect<void, unknown> => {
  let left = typeof reply.cut?.after === "number" ? reply.cut.after : Number.POSITIVE_INFINITY
  let first = true
  return Stream.runForEachWhile(toStream(reply.body), (chunk) =>
    Effect.gen(function* () {
      if (!first) yield* sleep(reply.chunkDelay)
      first = false
      const all = toBytes(chunk)
      const bytes = all.length > left ? all.subarray(0, left) : all
      left -= bytes.length
      yield* write(out, entry.connection.socket, bytes)
      entry.bytesSent += bytes.length
      state.changes.notify()
      return left > 0
    })
  )
}

/** Sends a reply with its faults. The fiber is interrupted when the socket closes. */
export const send = (
  reply: Reply,
  state: ServerState,
  entry: Entry,
  response: ServerResponse
): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const { connection } = entry
    yield* sleep(reply.delay)
    if (reply.cut?.after === "nothing") return yield* cutOff(reply.cut.by, entry)
    if (reply.wire === "http") sendHead(reply, response)
    if (reply.cut?.after !== 0 && hasBody(reply, entry)) {
      yield* sendBody(reply, state, entry, reply.wire === "http" ? response : connection.socket)
    }
    if (reply.cut !== undefined) return yield* breakOff(reply.cut.by, entry)
    if (reply.afterwards === "fin-on-reuse") connection.onReuse = "fin"
    if (reply.afterwards === "reset-on-reuse") connection.onReuse = "reset"
    // Node closes the connection itself if the client requested it. That counts as the server's close.
    if (!response.shouldKeepAlive) connection.closing ??= "server"
    yield* finished(response)
    entry.replied = true
    state.changes.notify()
    if (reply.afterwards === "close") close(connection, "fin")
  })
