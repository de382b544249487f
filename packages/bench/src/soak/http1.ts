/**
 * The process of the soak's HTTP/1.1 server. Every fifth request gets a fault, in turn a reset, a 503, a 429 and a truncated
 * body. The process sends its port, and its counts on request.
 */
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as Responses from "./responses.js"

const turn = Responses.turns(["reset", "busy", "limited", "cut"])

const sendError = (response: ServerResponse, { body, headers, status }: Responses.ErrorResponse): void => {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers
  })
  response.end(body)
}

const sendHead = (response: ServerResponse, kind: Responses.Kind): void => {
  const length = kind === "events" ? {} : { "content-length": Responses.item.length }
  response.writeHead(200, { "content-type": Responses.typeOf(kind), ...length })
}

const respond = (kind: Responses.Kind, response: ServerResponse): void => {
  const fault = turn()
  const count = Responses.counts[kind]
  count.requests++
  if (fault === undefined) {
    count.served++
    sendHead(response, kind)
    response.end(Responses.complete(kind))
    return
  }
  count.faulty++
  if (fault === "reset") {
    count.lost++
    response.socket?.resetAndDestroy()
  } else if (fault === "busy") sendError(response, Responses.busy)
  else if (fault === "limited") sendError(response, Responses.limited)
  else {
    sendHead(response, kind)
    response.write(Responses.truncated(kind))
    // Closes the connection (FIN) after the head and a part of the body.
    response.socket?.destroySoon()
  }
}

let seen = 0
// Only faults close connections, so any other close comes from the client.
const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
  request.resume()
  request.on("end", () => respond(Responses.kindOf(request.method, request.url), response))
})
server.on("connection", (socket) => {
  seen++
  socket.on("error", () => undefined)
})
const send = (message: Responses.ServerMessage): void => void process.send?.(message)
process.on("message", () => {
  server.getConnections((_, connections) => send({ counts: Responses.counts, connections, seen, closes: 0 }))
})
process.on("disconnect", () => process.exit())
server.listen(0, "127.0.0.1", () => send({ port: (server.address() as AddressInfo).port }))
