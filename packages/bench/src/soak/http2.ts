/**
 * The server of the soak over HTTP/2, in a process of its own: of five requests one goes wrong, in turns by a stream that is
 * refused, a 503, a 429, a stream that is reset before its head and one that is reset within its body. Now and then a whole
 * connection says goodbye, and now and then one is reset with all that is on it.
 */
import { constants, createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2"
import type { AddressInfo, Socket } from "node:net"
import { certificate } from "../server/certificate.js"
import * as Answers from "./answers.js"

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants

/** How many streams a client may have on a connection. */
const most = 50

/** After so many requests a connection says goodbye, and after so many it is reset. */
const [goodbyes, resets] = [1_000, 5_000]

/** By none of these a body has ended (RFC 9113, 8.1). */
const codes = [NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR]

const turn = Answers.turns(["refused", "busy", "limited", "reset", "cut"])

/** Connections that answer nothing more, until they are full of requests and reset, and how many these are. */
const dying = new Map<ServerHttp2Session, number>()

/** The sockets below TLS, by the client's port: only such a one can be reset. */
const sockets = new Map<number | undefined, Socket>()

/** What was answered before is read by then. */
const grace = 400

/** A connection that does not fill up says goodbye before it is reset: what it has not seen is not lost with it. */
const impatience = 500

const cutOff = (session: ServerHttp2Session): void => {
  setTimeout(() => {
    dying.delete(session)
    if (!session.destroyed) sockets.get(session.socket.remotePort)?.resetAndDestroy()
  }, grace)
}

const die = (session: ServerHttp2Session): void => {
  dying.set(session, 0)
  setTimeout(() => {
    if (!dying.has(session)) return
    session.goaway(NGHTTP2_NO_ERROR)
    cutOff(session)
  }, impatience)
}

const refuse = (stream: ServerHttp2Stream, { body, headers, status }: Answers.Refusal): void => {
  stream.respond({ ":status": status, "content-type": "application/json", ...headers })
  stream.end(body)
}

const begin = (stream: ServerHttp2Stream, kind: Answers.Kind): void => {
  const length = kind === "events" ? {} : { "content-length": Answers.item.length }
  stream.respond({ ":status": 200, "content-type": Answers.typeOf(kind), ...length })
}

/** Node ends a stream that it resets, and what was a part of a body would be all of it. */
const reset = (stream: ServerHttp2Stream, code: number | undefined): void => {
  stream.end = () => stream
  stream.close(code)
}

const answer = (kind: Answers.Kind, stream: ServerHttp2Stream): void => {
  const count = Answers.counts[kind]
  const fault = turn()
  if (fault === undefined) {
    count.served++
    begin(stream, kind)
    stream.end(Answers.whole(kind))
    return
  }
  count.wrong++
  const code = codes[count.wrong % codes.length]
  if (fault === "refused") {
    count.refused++
    reset(stream, NGHTTP2_REFUSED_STREAM)
  } else if (fault === "busy") refuse(stream, Answers.busy)
  else if (fault === "limited") refuse(stream, Answers.limited)
  else if (fault === "reset") reset(stream, code)
  else {
    begin(stream, kind)
    stream.write(Answers.part(kind), () => reset(stream, code))
  }
}

let requests = 0
let closes = 0

const take = (kind: Answers.Kind, stream: ServerHttp2Stream, session: ServerHttp2Session): void => {
  requests++
  Answers.counts[kind].requests++
  const waiting = dying.get(session)
  if (waiting !== undefined) {
    Answers.counts[kind].lost++
    Answers.counts[kind].wrong++
    dying.set(session, waiting + 1)
    if (waiting + 1 === most) cutOff(session)
    return
  }
  if (requests % goodbyes === 0) closes++
  if (requests % resets === 0) die(session)
  else if (requests % goodbyes === 0) session.close()
  answer(kind, stream)
}

const say = (word: Answers.Word): void => void process.send?.(word)

const pair = certificate()
if (pair === undefined) say({ missing: "openssl" })
else {
  let seen = 0
  const server = createSecureServer({ ...pair, settings: { maxConcurrentStreams: most } })
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
    const kind = Answers.kindOf(headers[":method"], headers[":path"])
    stream.on("error", () => undefined)
    stream.resume()
    if (session !== undefined) stream.on("end", () => take(kind, stream, session as ServerHttp2Session))
  })
  server.on("tlsClientError", () => undefined)
  process.on("message", () => {
    server.getConnections((_, connections) => say({ counts: Answers.counts, connections, seen, closes }))
  })
  server.listen(0, "127.0.0.1", () => say({ port: (server.address() as AddressInfo).port }))
}
process.on("disconnect", () => process.exit())
