/**
 * The server of the soak over HTTP/1.1, in a process of its own: of five requests one goes wrong, in turns by a reset, a 503, a
 * 429 and a body cut short. It tells its port, and what it has done when asked.
 */
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as Answers from "./answers.js"

const turn = Answers.turns(["reset", "busy", "limited", "cut"])

const refuse = (response: ServerResponse, { body, headers, status }: Answers.Refusal): void => {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers
  })
  response.end(body)
}

const begin = (response: ServerResponse, kind: Answers.Kind): void => {
  const length = kind === "events" ? {} : { "content-length": Answers.item.length }
  response.writeHead(200, { "content-type": Answers.typeOf(kind), ...length })
}

const answer = (kind: Answers.Kind, response: ServerResponse): void => {
  const fault = turn()
  const count = Answers.counts[kind]
  count.requests++
  if (fault === undefined) {
    count.served++
    begin(response, kind)
    response.end(Answers.whole(kind))
    return
  }
  count.wrong++
  if (fault === "reset") {
    count.lost++
    response.socket?.resetAndDestroy()
  } else if (fault === "busy") refuse(response, Answers.busy)
  else if (fault === "limited") refuse(response, Answers.limited)
  else {
    begin(response, kind)
    response.write(Answers.part(kind))
    // The head and a part of the body, and the connection closed in order.
    response.socket?.destroySoon()
  }
}

let seen = 0
// No connection closes but by a fault: what else goes wrong is the client's doing.
const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
  request.resume()
  request.on("end", () => answer(Answers.kindOf(request.method, request.url), response))
})
server.on("connection", (socket) => {
  seen++
  socket.on("error", () => undefined)
})
const say = (word: Answers.Word): void => void process.send?.(word)
process.on("message", () => {
  server.getConnections((_, connections) => say({ counts: Answers.counts, connections, seen, closes: 0 }))
})
process.on("disconnect", () => process.exit())
server.listen(0, "127.0.0.1", () => say({ port: (server.address() as AddressInfo).port }))
