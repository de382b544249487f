/**
 * The process of the soak's HTTP/2 server. Every fifth request gets a fault. The faults take turns: a refused stream, a 503, a
 * 429, a stream reset before its head, and one reset within its body. From time to time the server closes a connection with
 * GOAWAY, or resets one with all its streams.
 */
import { constants, createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2"
import type { AddressInfo, Socket } from "node:net"
import { certificate } from "../server/certificate.js"
import * as Responses from "./responses.js"

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants

/** The most concurrent streams on a connection. */
const maxStreams = 50

/** The numbers of requests after which a connection gets a GOAWAY, or is reset. */
const [goawayEvery, resetEvery] = [1_000, 5_000]

/** None of these codes ends a body (RFC 9113, 8.1). */
const codes = [NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR]

const turn = Responses.turns(["refused", "busy", "limited", "reset", "cut"])

/** Connections that stop responding until they are full and are reset, with their number of pending requests. */
const dying = new Map<ServerHttp2Session, number>()

/** The sockets below TLS by the client's port. Only they can be reset. */
const sockets = new Map<number | undefined, Socket>()

/** Milliseconds until the client has read earlier responses. */
const graceMillis = 400

/** Milliseconds until a connection that does not fill up gets a GOAWAY, so that unseen requests are not lost with it. */
const fillMillis = 500

const resetLater = (session: ServerHttp2Session): void => {
  setTimeout(() => {
    dying.delete(session)
    if (!session.destroyed) sockets.get(session.socket.remotePort)?.resetAndDestroy()
  }, graceMillis)
}

const stopResponding = (session: ServerHttp2Session): void => {
  dying.set(session, 0)
  setTimeout(() => {
    if (!dying.has(session)) return
    session.goaway(NGHTTP2_NO_ERROR)
    resetLater(session)
  }, fillMillis)
}

const sendError = (stream: ServerHttp2Stream, { body, headers, status }: Responses.ErrorResponse): void => {
  stream.respond({ ":status": status, "content-type": "application/json", ...headers })
  stream.end(body)
}

const sendHead = (stream: ServerHttp2Stream, kind: Responses.Kind): void => {
  const length = kind === "events" ? {} : { "content-length": Responses.item.length }
  stream.respond({ ":status": 200, "content-type": Responses.typeOf(kind), ...length })
}

/** Node ends a stream before it resets it, which would make a truncated body complete. */
const reset = (stream: ServerHttp2Stream, code: number | undefined): void => {
  stream.end = () => stream
  stream.close(code)
}

const respond = (kind: Responses.Kind, stream: ServerHttp2Stream): void => {
  const count = Responses.counts[kind]
  const fault = turn()
  if (fault === undefined) {
    count.served++
    sendHead(stream, kind)
    stream.end(Responses.complete(kind))
    return
  }
  count.faulty++
  const code = codes[count.faulty % codes.length]
  if (fault === "refused") {
    count.refused++
    reset(stream, NGHTTP2_REFUSED_STREAM)
  } else if (fault === "busy") sendError(stream, Responses.busy)
  else if (fault === "limited") sendError(stream, Responses.limited)
  else if (fault === "reset") reset(stream, code)
  else {
    sendHead(stream, kind)
    stream.write(Responses.truncated(kind), () => reset(stream, code))
  }
}

let requests = 0
let closes = 0

const receive = (kind: Responses.Kind, stream: ServerHttp2Stream, session: ServerHttp2Session): void => {
  requests++
  Responses.counts[kind].requests++
  const pending = dying.get(session)
  if (pending !== undefined) {
    Responses.counts[kind].lost++
    Responses.counts[kind].faulty++
    dying.set(session, pending + 1)
    if (pending + 1 === maxStreams) resetLater(session)
    return
  }
  if (requests % goawayEvery === 0) closes++
  if (requests % resetEvery === 0) stopResponding(session)
  else if (requests % goawayEvery === 0) session.close()
  respond(kind, stream)
}

const send = (message: Responses.ServerMessage): void => void process.send?.(message)

const pair = certificate()
if (pair === undefined) send({ missing: "openssl" })
else {
  let seen = 0
  const server = createSecureServer({ ...pair, settings: { maxConcurrentStreams: maxStreams } })
  server.on("connection", (socket: Socket) => {
    const { remotePort } = socket
    seen++
    sockets.set(remotePort, socket)
    socket.on("error", () => undefined)
    socket.on("close", () => sockets.delete(remotePort))
  })
  server.on("session", (session) => session.on("error", () => undefined))
  server.on("stream", (stream, headers) => {
    const { session } = stream
    const kind = Responses.kindOf(headers[":method"], headers[":path"])
    stream.on("error", () => undefined)
    stream.resume()
    if (session !== undefined) stream.on("end", () => receive(kind, stream, session as ServerHttp2Session))
  })
  server.on("tlsClientError", () => undefined)
  process.on("message", () => {
    server.getConnections((_, connections) => send({ counts: Responses.counts, connections, seen, closes }))
  })
  server.listen(0, "127.0.0.1", () => send({ port: (server.address() as AddressInfo).port }))
}
process.on("disconnect", () => process.exit())
